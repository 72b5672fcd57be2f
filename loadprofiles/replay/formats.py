"""The formats that are known, and which of them a folder or a file is in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from loadprofiles.replay import azure, burstgpt, claude_code, mooncake, tracelab
from loadprofiles.replay.format import Format
from loadprofiles.replay.recorded import Recorded
from loadprofiles.replay.shaping import TraceOptions
from reports.shared.errors import InvalidFile, Problem, UserError, did_you_mean

__all__ = ["FORMATS", "Trace", "format_of", "open_trace", "trace_options"]

FORMATS: Final[dict[str, Format]] = {
    "claude-code": claude_code.FORMAT,
    "mooncake": mooncake.FORMAT,
    "azure": azure.FORMAT,
    "burstgpt": burstgpt.FORMAT,
    "tracelab": tracelab.FORMAT,
}
"""Every reader there is, by the name that `--trace-format` takes."""

_HEAD_BYTES = 64 << 10
_SUFFIXES = {suffix for known in FORMATS.values() for suffix in known.suffixes}
_OPTIONS = tuple(TraceOptions.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace that was read: the name of its format, what it held, and how it is to be played."""

    format: str
    recorded: Recorded
    options: TraceOptions

    def told(self) -> list[str]:
        """What a user should know of it, a line each: what it is, and what was left out."""
        recorded = self.recorded
        lines = [f"{self.format}: {len(recorded.sessions):,} sessions", *recorded.notes]
        if recorded.skipped_count:
            first = recorded.skipped[0]
            where = f"{first.file}:{first.line}" if first.line else first.file
            lines.append(f"{recorded.skipped_count:,} mistakes were passed over, the first: {where}: {first.what}")
        return lines


def open_trace(path: Path | str, given: Mapping[str, object]) -> Trace:
    """Reads a folder of recordings, or one file. Raises `reports.shared.errors.UserError`, `InvalidFile` for bad lines.

    `given`: options of `TraceOptions`, what is left out has the format's default; and `format`, a name of `FORMATS`
    (None or left out: by what the files hold).
    """
    options = dict(given)
    forced = options.pop("format", None)
    _refuse_unknown(options)
    name, paths = format_of(Path(path), None if forced is None else str(forced))
    resolved = trace_options(FORMATS[name], options)
    recorded = FORMATS[name].read(paths, skip_bad=resolved.skip_bad)
    if resolved.rate is None and recorded.starts_s is None:
        raise UserError(f"{path}: {name} does not say when its sessions began: give a rate of sessions a second")
    return Trace(name, recorded, resolved)


def trace_options(known: Format, given: Mapping[str, object]) -> TraceOptions:
    """The options of a replay, over the format's defaults. `rate: recorded` is None. Raises `UserError`."""
    _refuse_unknown(given)
    options = {**known.defaults, **given}
    if options.get("rate") == "recorded":
        options["rate"] = None
    try:
        return msgspec.convert(options, TraceOptions)
    except (msgspec.ValidationError, ValueError, TypeError) as error:
        raise UserError(f"trace options: {error}") from None


def format_of(path: Path, forced: str | None = None) -> tuple[str, list[Path]]:
    """The format of a trace, and its files in the order of their names.

    Of a folder, files of a known suffix count; those of the format's suffixes are read. Raises `UserError` where the
    format is unknown, or where there are several.
    """
    if forced is not None and forced not in FORMATS:
        raise UserError(f"trace format {forced}: not known; {did_you_mean(forced, list(FORMATS))}")
    single = path.is_file()
    try:
        inside = [path] if single else sorted(path.iterdir()) if path.is_dir() else []
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    files = [file for file in inside if single or (file.suffix.lower() in _SUFFIXES and file.is_file())]
    if not files:
        what = "holds no file" if path.is_dir() else "is no folder and no file"
        if inside:
            what = f"holds no recordings (but {', '.join(file.name for file in inside[:5])})"
        remedy = f"give a folder or a file in one of these formats:\n{_known()}"
        raise InvalidFile([Problem(str(path), 0, what, remedy)])
    if forced is not None:
        return forced, _of_format(files, FORMATS[forced], single)
    found: dict[str, Path] = {}
    for file in files:
        name = _recognised(_head(file))
        if name is not None:
            found.setdefault(name, file)
    if len(found) > 1:
        seen = ", ".join(f"{name} ({file.name})" for name, file in found.items())
        remedy = "give one of the files, or say which with --trace-format"
        raise InvalidFile([Problem(str(path), 0, f"holds traces of several formats: {seen}", remedy)])
    if not found:
        file, head = files[0], _head(files[0])
        begins = f"begins with {head[:80].decode('utf-8', 'replace')!r}" if head else "is empty"
        remedy = f"known are the formats\n{_known()}\n    or say which it is with --trace-format"
        raise InvalidFile([Problem(str(file), 1 if head else 0, f"is of no known format: it {begins}", remedy)])
    (name,) = found
    return name, _of_format(files, FORMATS[name], single)


def _refuse_unknown(given: Mapping[str, object]) -> None:
    unknown = sorted(set(given) - set(_OPTIONS))
    if unknown:
        raise UserError(f"trace options: unknown {', '.join(unknown)}; there are dir, format, {', '.join(_OPTIONS)}")


def _of_format(files: list[Path], known: Format, single: bool) -> list[Path]:
    chosen = [file for file in files if single or file.suffix.lower() in known.suffixes]
    if not chosen:
        what = f"holds no file of {known.name} ({', '.join(known.suffixes)})"
        raise InvalidFile([Problem(str(files[0].parent), 0, what, "give the file itself")])
    return chosen


def _recognised(head: bytes) -> str | None:
    lower = head.lower()
    return next((name for name, known in FORMATS.items() if all(sign in lower for sign in known.signs)), None)


def _head(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(_HEAD_BYTES)
    except OSError as error:
        raise InvalidFile([Problem(str(file), 0, f"cannot be read: {error.strerror}")]) from None


def _known() -> str:
    return "\n".join(f"      {name:<12} {known.what}" for name, known in FORMATS.items())
