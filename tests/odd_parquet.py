"""Parquet files that the engine itself cannot write, each with one row of (owner, id, v), packed."""

import base64
import zlib

_PACKED = {
    "int96": (
        "eNp9kM1qAjEQxydhGzx4ncFADntwQwtVqqCnXBQvigfpGyx2oR7qbqOu4AP4bD6J7+DNya6gB9uQ+eA/v5khWYw+ewhISO8oOVGo"
        "DADIYEKw37Jo0PxRDYf1Nrb/Ac6HBDDS8wG01Gb5nf2kqACbiWy95Pt15hOYhyaMWJGrL57CiSiBpDbaWTDY1IkCfcORC+TI2cbU"
        "YNguwTGqtK32Bj6qeR5WwWMa28kdfntEVY2KsiJnNLNH8QSlkyBpGxzgNS5S/7vLtp1lUXRS7/N9XGZ+s8rXcX/Y/ej2tOP31Bcu"
        "bAv+5CvkAC2g"
    ),
    "nanos": (
        "eNoLcAwyFGUQFRMV0xFlAjLYRNlkGBgYmECYkRFIlgAFZURlcMiCAB4Fx17cYrsqJMoi6WPKIMFWnJyRmpsoysYgyqPKJMGaX56X"
        "WqTK4APSIMoCFGHKTIEwGMtyegRlbMCmizFJykjaqDHIiPJIqrIxSEL1iQIlxGzEbNQ4PGVEQU5gYrABKmWTVANbDlLPAlEPNBWs"
        "2EnMSc0FoVgTi1LGMrjKNkYsSsUOMIoxqXEAKQYNhYLEosLS1BLd5IIC3cSiovxyhbLUouLM/DwFIzM9Az1DSRugxyAIGBYMDAHA"
        "kAYAY+kvxw=="
    ),
    "wide": (
        "eNoLcAwyFGUQFRMV0xFlAjLYRNlkGBgYmECYkRFIlgAFZURlcMiCAFDcQdQBiwKoPANj1rkJa/+HvjZRrpwa9mLCAitOURZJH1MG"
        "Cbbi5IzU3ERRNgZRHlUmCdb88rzUIlUGH5ARoixAEabMFAZRPlETUSYJxjJVLlEW0QqdGBAJVCDGJCkjaaPGICPKI6nKxiAJ1S4K"
        "lBCzEbNR4/CUEQW5jYnBBqiUTVIN7CqQehaIeqDhYMVOYk5qLgjFmshK+SBKGcvAKtPE0tTaGLEoFXvCKMakxgGkGDQUChKLCktT"
        "S3STCwp0E4uK8ssVylKLijPz8xSMzPQM9AwlbYD+gyAGTmAgBQCjAAB0uDbq"
    ),
    "timens": (
        "eNoLcAwyFGUQFRMV0xFlAjLYRNlkGBgYmECYkRFIlgAFZURlcMiCAG4FDmbP9yoAFbBI+pgySLAVJ2ek5iaKsjGI8qgySbDml+el"
        "Fqky+IA0iLIARZgyUyAMxrKcGiEZG7DpYkySMpI2agwyojySqmwMklB9okAJMRsxGzUOTxlRkBOYGGyAStkk1cCWg9SzQNQDTQUr"
        "dhJzUnNBKNbEopSxDK6yjRGLUrEDjGJMahxAikFDoSCxqLA0tUQ3uaBAN7GoKL9coSy1qDgzP0/ByEzPQM9Q0gboMQgChgUDQwAw"
        "pAEMei59"
    ),
}


def unpacked(name: str) -> bytes:
    """Return a file: `int96` and `nanos` hold a moment with a nanosecond, `timens` a time so, `wide` 42 digits."""
    return zlib.decompress(base64.b64decode(_PACKED[name]))
