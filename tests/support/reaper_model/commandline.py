"""How ExecProcess takes a command line apart, which differs from system to system."""

from __future__ import annotations


def split_unix(line: str) -> list[str]:
    """Off Windows REAPER cuts at blanks; a token may be in quotes from its first character on."""
    words, at = [], 0
    while at < len(line):
        if line[at] in " \t":
            at += 1
        elif line[at] in "\"'`":
            end = line.find(line[at], at + 1)
            if end < 0:
                end = len(line)
            words.append(line[at + 1 : end])
            at = end + 1
        else:
            end = at
            while end < len(line) and line[end] not in " \t":
                end += 1
            words.append(line[at:end])
            at = end
    return words


def split_windows(line: str) -> list[str]:
    """The rule of Microsoft's C runtime: 2n backslashes and a quote are n of them, an odd one escapes."""
    words: list[str] = []
    word, quoted, started, at = "", False, False, 0
    while at < len(line):
        character = line[at]
        if character == "\\":
            end = at
            while end < len(line) and line[end] == "\\":
                end += 1
            count = end - at
            if end < len(line) and line[end] == '"':
                word += "\\" * (count // 2)
                if count % 2:
                    word += '"'
                    end += 1
            else:
                word += "\\" * count
            started, at = True, end
            continue
        if character == '"':
            quoted, started = not quoted, True
        elif character in " \t" and not quoted:
            if started:
                words.append(word)
            word, started = "", False
        else:
            word, started = word + character, True
        at += 1
    return [*words, word] if started else words


def split_command_line(line: str, system: str) -> list[str]:
    return split_windows(line) if system.startswith("Win") else split_unix(line)
