"""Addresses that the guarded sender must refuse, and those it must not."""

PUBLIC = "93.184.215.14"

REFUSED_AS_WRITTEN = [
    # loopback and "this host"
    "http://127.0.0.1/", "http://127.1.2.3/", "http://127.255.255.255/", "http://0.0.0.0/", "http://0.1.2.3/",
    "http://localhost/", "http://LOCALHOST/", "http://localhost./", "http://a.localhost/", "http://localhost.localdomain/",
    "http://[::1]/", "http://[::]/", "http://[0:0:0:0:0:0:0:1]/",
    # private networks, carriers' NAT
    "http://10.0.0.1/", "http://10.255.255.255/", "http://172.16.0.1/", "http://172.31.255.255/",
    "http://192.168.0.1/", "http://100.64.0.1/", "http://100.127.255.254/",
    "http://[fc00::1]/", "http://[fd12:3456:789a::1]/", "http://[fec0::1]/",
    # link-local and the clouds' metadata
    "http://169.254.0.1/", "http://169.254.169.254/latest/meta-data/", "http://169.254.170.2/v2/credentials",
    "http://100.100.100.200/latest/meta-data", "http://192.0.0.192/opc/v1", "http://168.63.129.16/machine",
    "http://[fe80::1]/", "http://[fd00:ec2::254]/", "http://metadata.google.internal/", "http://metadata/",
    # special ranges that ipaddress.is_global passes or passed
    "http://192.0.0.8/", "http://192.0.0.9/", "http://192.0.0.10/", "http://192.88.99.1/", "http://192.31.196.1/",
    "http://192.52.193.1/", "http://192.175.48.1/", "http://198.18.0.1/", "http://198.19.255.255/",
    "http://192.0.2.1/", "http://198.51.100.1/", "http://203.0.113.1/",
    "http://224.0.0.1/", "http://239.255.255.255/", "http://240.0.0.1/", "http://255.255.255.255/",
    # IPv4 in an IPv6 coat
    "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[::ffff:10.0.0.1]/", "http://[::127.0.0.1]/",
    "http://[::ffff:0:127.0.0.1]/", "http://[64:ff9b::127.0.0.1]/", "http://[64:ff9b::a00:1]/",
    "http://[64:ff9b:1::a00:1]/", "http://[2002:7f00:1::]/", "http://[2002:a00:1::1]/",
    "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/", "http://[2a00:1450::5efe:10.0.0.1]/",
    "http://[2a00:1450::200:5efe:7f00:1]/",
    # other IPv6 that is nobody's, and zones
    "http://[2001:db8::1]/", "http://[3fff::1]/", "http://[3ffe::1]/", "http://[100::1]/", "http://[ff02::1]/",
    "http://[5f00::1]/", "http://[4000::1]/", "http://[2001:2::1]/", "http://[2001:10::1]/", "http://[2001:20::1]/",
    "http://[2620:4f:8000::1]/", "http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/", "http://[2a00:1450::1%25lo]/",
    # numbers that some parsers take for addresses
    "http://2130706433/", "http://0x7f000001/", "http://0x7f.0.0.1/", "http://0177.0.0.1/", "http://017700000001/",
    "http://127.1/", "http://127.0.1/", "http://0x7f.1/", "http://0/", "http://127.0.0.1./", "http://010.0.0.1/",
    "http://1.2.3.256/", "http://93.184.215.014/", "http://0xa9fea9fe/", "http://hooks.airline.0x10/", "http://a.b.8/",
    # letters that become others
    "http://１２７.0.0.1/", "http://127。0。0。1/", "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/", "http://①②⑦.⓪.⓪.①/", "http://loc\u00adalhost/",
    "http://ｌｏｃａｌｈｏｓｔ/", "http://hooks.airline.example\u3002internal/", "http://127.0.0.1\u2044@airline.example/",
    "http://xn--/", "http://127%2e0%2e0%2e1/", "http://%6c%6f%63alhost/",
    # parts that parsers take apart differently
    "http://user@airline.example/", "http://user:secret@airline.example/", "http://airline.example@127.0.0.1/",
    "http://127.0.0.1#@airline.example/", "http://@airline.example/", "http://airline.example\\@127.0.0.1/",
    "http:\\\\airline.example/", "http://airline.example\t.internal/", "http://airline.example/\r\nHost: x", " http://airline.example/",
    "http://airline.example\x00/", "http://[::1]airline.example/", "http://[airline.example]/", "http://[]/",
    "http://airline..example/", "http://.airline.example/", "http://airline.example../", "http://-airline.example/",
    f"http://{'a' * 64}.example/", f"http://{'a.' * 130}example/", f"http://airline.example/{'a' * 2048}",
    "http://airline.example/ü",
    # ports, schemes, no host
    "http://airline.example:22/", "http://airline.example:25/", "http://airline.example:6379/", "http://airline.example:0/",
    "http://airline.example:65536/", "http://airline.example:-80/", "http://airline.example:８０/", "https://airline.example:5432/",
    "ftp://airline.example/", "file:///etc/passwd", "gopher://airline.example/", "javascript:alert(1)", "dict://airline.example:2628/",
    "//airline.example/", "airline.example", "http:///", "http://", "https:airline.example", "",
    # ourselves, and names of local networks
    "https://crossing.example/", "https://CROSSING.example./", "https://crossing.example:8443/", "https://x.tenants.example/",
    "http://printer.local/", "http://router/", "http://db.internal/", "http://nas.home.arpa/", "http://intranet/",
    "http://secret.onion/", "http://198.41.0.4/",
]  # fmt: skip

REFUSED_BY_DNS = {
    "loopback": ["127.0.0.1"],
    "private": ["10.1.2.3"],
    "metadata": ["169.254.169.254"],
    "alias into a private network": ["192.168.1.10"],
    "mapped": ["::ffff:127.0.0.1"],
    "a public one that is mapped": [f"::ffff:{PUBLIC}"],
    "NAT64": ["64:ff9b::7f00:1"],
    "6to4": ["2002:7f00:1::"],
    "Teredo": ["2001:0:4136:e378:8000:63bf:3fff:fdd2"],
    "unique local": ["fd00::1"],
    "with a zone": ["fe80::1%eth0"],
    "public first, private second": [PUBLIC, "10.0.0.1"],
    "private first, public second": ["10.0.0.1", PUBLIC],
    "public IPv4, loopback IPv6": [PUBLIC, "::1"],
    "public IPv6, metadata IPv4": ["2a00:1450:4001:831::200e", "169.254.169.254"],
    "denied by the operator": ["198.41.0.4"],
    "no address at all": [],
    "no address but a word": ["localhost"],
}

ACCEPTED = [
    ("http://93.184.215.14/", "93.184.215.14", 80),
    ("https://1.1.1.1/", "1.1.1.1", 443),
    ("https://[2606:4700:4700::1111]/", "2606:4700:4700::1111", 443),
    ("http://[2a00:1450:4001:831::200e]:8080/", "2a00:1450:4001:831::200e", 8080),
    ("http://11.0.0.1/", "11.0.0.1", 80),
    ("http://172.32.0.1/", "172.32.0.1", 80),
    ("http://100.128.0.1/", "100.128.0.1", 80),
    ("http://192.0.1.1/", "192.0.1.1", 80),
    ("http://198.17.255.255/", "198.17.255.255", 80),
    ("http://223.255.255.255/", "223.255.255.255", 80),
    ("https://168.63.129.17/", "168.63.129.17", 443),
    ("https://[2001:200::1]/", "2001:200::1", 443),
    ("https://[2620:4f:8001::1]/", "2620:4f:8001::1", 443),
    ("https://hooks.airline.example/", PUBLIC, 443),
    ("https://HOOKS.airline.example./in?x=1", PUBLIC, 443),
    ("https://hooks.airline.example:8443/in", PUBLIC, 8443),
    ("http://hooks_1.airline.example:8080", PUBLIC, 8080),
    ("https://fluglinie-süd.example/", PUBLIC, 443),
    ("https://localhost.airline.example/", PUBLIC, 443),
    ("https://notcrossing.example/", PUBLIC, 443),
    ("https://127.0.0.1.airline.example/", PUBLIC, 443),
]  # fmt: skip
