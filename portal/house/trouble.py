"""What goes wrong on a machine, said in one line that tells what to do."""


class Trouble(Exception):
    """A step cannot go on; the message is one line for the person at the keyboard: what, and what to do."""


def explain(error: OSError, *, doing: str) -> Trouble:
    """Turn an error of the operating system into one clear line."""
    import errno

    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Trouble(f"No disk space left while {doing}{where}: free about 2 GB and run the command again.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Trouble(
            f"Not allowed to write while {doing}{where}: run as the owner of this checkout, "
            "or set CROSSING_STATE to a folder that is yours."
        )
    return Trouble(f"{error.strerror or error} while {doing}{where}.")
