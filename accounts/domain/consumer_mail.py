"""Mail domains that anybody can have an address at: nobody's to claim."""

# fmt: off
CONSUMER_MAIL_DOMAINS = frozenset(
    {
        "126.com", "139.com", "163.com", "189.cn", "aim.com", "alice.it", "aliyun.com", "aol.com", "att.net",
        "bellsouth.net", "bigpond.com", "bluewin.ch", "bol.com.br", "bt.com", "btinternet.com", "charter.net",
        "comcast.net", "cox.net", "daum.net", "duck.com", "earthlink.net", "email.com", "fastmail.com",
        "fastmail.fm", "foxmail.com", "free.fr", "freenet.de", "frontier.com", "gmail.com", "gmx.at", "gmx.ch",
        "gmx.com", "gmx.de", "gmx.net", "googlemail.com", "hanmail.net", "hey.com", "hotmail.co.uk", "hotmail.com",
        "hotmail.de", "hotmail.es", "hotmail.fr", "hotmail.it", "hushmail.com", "icloud.com", "inbox.ru",
        "interia.pl", "juno.com", "kakao.com", "laposte.net", "libero.it", "list.ru", "live.ca", "live.co.uk",
        "live.com", "live.fr", "live.nl", "mac.com", "mail.com", "mail.ru", "mailbox.org", "mailinator.com",
        "me.com", "msn.com", "naver.com", "netscape.net", "netzero.net", "o2.pl", "onet.pl", "online.no",
        "optonline.net", "orange.fr", "outlook.com", "outlook.de", "outlook.es", "outlook.fr", "outlook.jp",
        "pm.me", "posteo.de", "proton.me", "protonmail.ch", "protonmail.com", "qq.com", "rambler.ru",
        "rediffmail.com", "rocketmail.com", "rogers.com", "sapo.pt", "sbcglobal.net", "seznam.cz", "sfr.fr",
        "shaw.ca", "sina.com", "sky.com", "sohu.com", "sympatico.ca", "t-online.de", "talktalk.net", "telenet.be",
        "telia.com", "telus.net", "terra.com.br", "tiscali.it", "tuta.com", "tuta.io", "tutanota.com", "uol.com.br",
        "verizon.net", "virgilio.it", "virginmedia.com", "vivaldi.net", "wanadoo.fr", "web.de", "wp.pl",
        "xtra.co.nz", "yahoo.ca", "yahoo.co.in", "yahoo.co.jp", "yahoo.co.uk", "yahoo.com", "yahoo.com.au",
        "yahoo.com.br", "yahoo.de", "yahoo.es", "yahoo.fr", "yahoo.it", "yandex.com", "yandex.ru", "ymail.com",
        "ziggo.nl", "zoho.com", "zohomail.com",
    }
)
# fmt: on
