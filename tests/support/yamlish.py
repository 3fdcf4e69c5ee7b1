"""Generated YAML as people write it: every style, every indentation, comments wherever YAML allows one.

Writes text straight from drawn data and knows nothing of how `fmt` prints. Each comment is unique ("# c7"),
so that a test can follow it.
"""

from hypothesis import strategies as st

_ODD = r"""it's|1.0.0|*.py|{{ x.y }}|yes|12:30|0777|# no|a: b|a #b|| lead|trail |-|- x|?|:|x:|@at|`t`
[x|{y|null|~|true|1e3|1_0|say "hi"|back\slash|%d|!t|&a|=|<<|y|0x1F|.5|1.|--x|---|...|a,b|http://h:1/p?q=1
#|'|"|'q' "d"|é|1e999|+1|2026-01-01|NO|two\nlines"""
_PLAIN = """a|two words|1.0.0|it's|x/y|a-b|http://h:1/p|-m|é|a#b|12:30|yes|1.10|0777|null|~|true|3|0.50|1e3"""
_KEYS = """id|name|b|on|a b|1|x:y|it's|é|- k|#k||<<|{{ e }}"""
_LONG = [
    "two\nlines",
    "end\n",
    "\n\nx",
    "\u2028s",
    "\x85",
    "\ufeffz",
    "a\u00a0b",
    "a\tb",
    "\U0001f600",
    "x" * 120,
]
WORDS = [word for line in _ODD.splitlines() for word in line.split("|")] + _LONG
PLAIN_WORDS = _PLAIN.split("|")
TEXTS = st.sampled_from(WORDS) | st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8)
KEYS = st.sampled_from([*_KEYS.split("|"), "k" * 40, "no\nline"])


class Writer:
    """Writes one document; `draw` decides everything."""

    def __init__(self, draw, *, has_comments=True):
        self.draw = draw
        self.count = 0
        self.has_comments = has_comments
        self.anchors = []

    def chance(self, one_in):
        return self.draw(st.integers(0, one_in - 1)) == one_in - 1

    def comment(self):
        self.count += 1
        return f"# c{self.count}" + self.draw(
            st.sampled_from(["", " text", ": 'odd", " # b", " - [x", '\t"', " "])
        )

    def own_lines(self, indent):
        lines = []
        while self.has_comments and self.chance(4):
            if self.chance(3):
                lines.append(self.draw(st.sampled_from(["", "   "])))
            else:
                lines.append(" " * indent + self.comment())
        return lines

    def behind(self):
        return (
            self.draw(st.sampled_from([" ", "  ", "    "])) + self.comment()
            if self.has_comments and self.chance(5)
            else ""
        )

    # ------------------------------------------------------------ scalars

    def double(self, text):
        out = []
        for char in text:
            if char in '"\\':
                out.append("\\" + char)
            elif char == "\n":
                out.append("\\n")
            elif char == "\t":
                out.append("\\t")
            elif not char.isprintable() or char == "\ufeff" or self.chance(40):
                code = ord(char)
                out.append(
                    f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
                )
            else:
                out.append(char)
        return '"' + "".join(out) + '"'

    def single_line(self, *, is_flow=False):
        """Return a scalar on one line."""
        style = self.draw(st.sampled_from("pppsd"))
        if style == "p":
            word = self.draw(st.sampled_from(PLAIN_WORDS))
            return "'m'" if is_flow and word.startswith("-") else word
        text = self.draw(TEXTS)
        if style == "s" and text.isprintable() and "\ufeff" not in text:
            return "'" + text.replace("'", "''") + "'"
        return self.double(text)

    def multi_line(self, indent):
        """Return the lines of a folded plain or quoted scalar; the first goes behind its key."""
        pad = " " * indent
        kind = self.draw(st.sampled_from(["p", "s", "d"]))
        words = self.draw(
            st.lists(
                st.sampled_from(["some", "text", "it's", "x: y" if kind != "p" else "xy"]),
                min_size=2,
                max_size=4,
            )
        )
        if kind == "s":
            words = [word.replace("'", "''") for word in words]
        lines = [words[0]]
        for word in words[1:]:
            if self.chance(4):
                lines.append("")
            lines.append(pad + self.draw(st.sampled_from(["", "  ", "\t"])) + word)
        if kind != "p":
            quote = "'" if kind == "s" else '"'
            if kind == "d" and self.chance(3):
                lines[-2] += "\\" if lines[-2].strip() else ""
            if self.chance(4) and lines[0] and not lines[0].endswith("\\"):
                lines[0] += " \t"
            lines = [quote + lines[0], *lines[1:-1], lines[-1] + quote]
        return lines

    def block_scalar(self, indent):
        """Return header and lines of a literal or folded scalar inside a collection at `indent`."""
        step = self.draw(st.integers(1, 4))
        pad = " " * (max(indent, 0) + step)
        body = self.draw(
            st.lists(
                st.sampled_from(
                    ["line", "# not a comment", "a: b", "", "  deeper", "trail  ", "\ttab", "   "]
                ),
                max_size=5,
            )
        )
        visible = next((text for text in body if text.strip(" ")), "")
        odd = any(text.startswith(" ") for text in body[: body.index(visible) + 1 if visible else len(body)])
        digit = str(step) if odd or self.chance(6) else ""
        chomp = self.draw(st.sampled_from(["", "-", "+"]))
        head = self.draw(st.sampled_from("|>")) + (digit + chomp if self.chance(2) else chomp + digit)
        return [
            head + (" " + self.comment() if self.has_comments and self.chance(5) else ""),
            *(pad + text if text else self.draw(st.sampled_from(["", pad])) for text in body),
        ]

    # ------------------------------------------------------------ flow

    def flow(self, depth):
        """Return the text of a flow collection, perhaps on several lines with comments."""
        is_map = self.chance(2)
        parts = []
        used = set()
        for _ in range(self.draw(st.integers(0, 3))):
            value = self.flow(depth - 1) if depth > 0 and self.chance(4) else self.single_line(is_flow=True)
            if is_map:
                key = self.draw(KEYS)
                if key in used:
                    continue
                used.add(key)
                value = self.double(key) + self.draw(st.sampled_from([": ", ":  "])) + value
            parts.append(self.gap() + value + self.gap())
        tail = "," if parts and self.chance(6) else ""
        inner = ",".join(parts) + tail + self.gap()
        return ("{" + inner + "}") if is_map else ("[" + inner + "]")

    def gap(self):
        if self.has_comments and self.chance(14):
            return " " + self.comment() + "\n" + " " * 12
        return self.draw(st.sampled_from(["", "", " ", "\n" + " " * 12]))

    # ------------------------------------------------------------ blocks

    def props(self):
        if not self.chance(12):
            return ""
        name = f"a{len(self.anchors)}"
        self.anchors.append(name)
        return f"&{name} "

    def value(self, indent, depth, *, in_list):
        """Return the lines of a value behind "key:" or "-" at `indent`; the first is on the same line."""
        kind = self.draw(st.sampled_from(["s", "s", "s", "m", "b", "f", "f", "M", "L", "n", "a"]))
        if kind == "a" and self.anchors and self.chance(2):
            return [" *" + self.draw(st.sampled_from(self.anchors)) + self.behind()]
        if kind in "ML" and depth > 0:
            return self.collection(indent, depth, kind, in_list=in_list)
        if kind == "n":
            return [self.behind()]
        if kind == "m":
            first, *rest = self.multi_line(indent + self.draw(st.integers(1, 5)))
            return [" " + first, *rest[:-1], rest[-1] + self.behind()]
        if kind == "b":
            first, *rest = self.block_scalar(indent)
            return [" " + first, *rest]
        if kind == "f":
            return [" " + self.flow(2) + self.behind()]
        lines = [" "]
        props = self.props()
        if self.chance(8):
            lines = [self.behind(), *self.own_lines(indent + 2), " " * (indent + 3)]
        lines[-1] += props + self.single_line() + self.behind()
        return lines

    def collection(self, indent, depth, kind, *, in_list):
        mark = ""
        if self.chance(12):
            mark = f" &a{len(self.anchors)}"
        inner = indent + self.draw(st.integers(1, 5))
        if kind == "L" and not in_list and self.chance(3):
            inner = indent
        if in_list and not mark and self.chance(2):
            lines = self.block(inner if inner > indent + 1 else indent + 2, depth - 1, kind)
            first = lines[0].strip(" ")
            if first and not first.startswith("#"):
                body = lines[0][indent + 1 :]
                return [body, *lines[1:]]
        lines = [mark + self.behind(), *self.block(inner, depth - 1, kind)]
        if mark:
            self.anchors.append(mark[2:])
        return lines

    def block(self, indent, depth, kind):
        """Return the lines of a block mapping ("M") or list ("L") at `indent`."""
        pad = " " * indent
        lines = []
        used = set()
        for index in range(self.draw(st.integers(1, 4))):
            lines += self.own_lines(indent)
            if kind == "L":
                first, *rest = self.value(indent, depth, in_list=True)
                lines += [pad + "-" + (first if first.startswith(" ") or not first else " " + first), *rest]
                continue
            key = f"{self.draw(KEYS)}{index}" if self.chance(3) else f"key{index}"
            if key in used:
                continue
            used.add(key)
            shown = key if key.isidentifier() and self.chance(2) else self.double(key)
            first, *rest = self.value(indent, depth, in_list=False)
            lines += [pad + shown + ":" + first, *rest]
        if self.has_comments and self.chance(5):
            lines += [pad + self.comment()]
        return lines


@st.composite
def documents(draw, head=(), **more):
    """Draw the text of a document whose first lines are `head`."""
    writer = Writer(draw, **more)
    lines = []
    lines += writer.own_lines(0)
    if writer.chance(8):
        lines += ["---" + writer.behind()]
    lines += writer.own_lines(0)
    for line in head:
        lines += [line + writer.behind(), *writer.own_lines(0)]
    lines += writer.block(0, 3, "M")
    lines += writer.own_lines(0)
    end = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    text = "\n".join(lines) + draw(st.sampled_from(["\n", "\n", "", "\n\n\n", "\n...\n"]))
    return text.replace("\n", end)
