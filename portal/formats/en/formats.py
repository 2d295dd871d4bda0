"""Names that Django reads (`settings.FORMAT_MODULE_PATH`)."""

DATETIME_FORMAT = "j M Y, H:i T"
"""With its time zone: staff and the customers whom they speak of are rarely in the same one."""
