"""Streamlit's own document, with the first look in it: what a browser draws before any script has run.

Streamlit's document is empty until some 3 MB of scripts have been loaded, have run, and have opened a session: more than a second on
an idle machine, and many on a busy one. So the page's numbers come with the document. As soon as Streamlit has drawn the same page,
the first look goes, without a gap in between. Where no script runs it stays, and comes again every half minute.
"""

import re
from dataclasses import dataclass
from pathlib import Path

FONTS = {"Source Sans": "SourceSansVF-Upright.*.woff2", "Source Serif": "SourceSerifVariable-Roman.*.woff2"}
# What runs besides Streamlit's own: the first look goes, a refresh keeps what stays, and the page notices when no refresh comes.
SCRIPTS = ("first_look.js", "kept.js", "news.js")
_ROOT = '<div id="root"></div>'
_LOADS = re.compile(r'\s*<(?:script type="module"|link rel="(?:modulepreload|stylesheet)")[^>]*>(?:</script>)?')
_TITLE = re.compile(r"<title>.*?</title>")
_NOSCRIPT = re.compile(r"<noscript>.*?</noscript>", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_ICON = re.compile(r'<link rel="shortcut icon"[^>]*>')
_AGAIN = '<noscript><meta http-equiv="refresh" content="30" /></noscript>'


@dataclass(frozen=True, slots=True)
class Shell:
    """The document before and after the first look."""

    before: str
    after: str

    def around(self, first_look: str) -> str:
        return f"{self.before}{first_look}{self.after}"


def read_shell(static: Path, title: str, icon: str) -> Shell:
    """`static`: where Streamlit's document and its files lie. `icon`: an SVG."""
    ours = Path(__file__).parent
    style = "".join(_font(name, pattern, static) for name, pattern in FONTS.items()) + ours.joinpath("style.css").read_text("utf-8")
    script = "".join(ours.joinpath(name).read_text("utf-8") for name in SCRIPTS)
    return make_shell(static.joinpath("index.html").read_text("utf-8"), title, icon, style, script)


def make_shell(document: str, title: str, icon: str, style: str, script: str) -> Shell:
    """Raises ValueError if the document is none of Streamlit's as this was written for."""
    document = _NOSCRIPT.sub("", _COMMENT.sub("", document))
    loads = "".join(_LOADS.findall(document))
    document = _LOADS.sub("", document)
    # Behind the first look: a style sheet in the head would keep the browser from drawing until it is there.
    before, root, after = document.partition(_ROOT)
    if not root or not loads:
        raise ValueError("Streamlit's index.html has another form than the one that the first look is put into.")
    before = _TITLE.sub(f"<title>{title}</title>", before)
    before = _ICON.sub(f'<link rel="icon" href="data:image/svg+xml,{_in_address(icon)}" />', before)
    before = before.replace("</head>", f"{_AGAIN}<style>{style}</style></head>")
    return Shell(before, f"{root}<script>{script}</script>{loads}{after}")


def _font(name: str, pattern: str, static: Path) -> str:
    """The page's own typeface, before Streamlit's scripts name it; another one until it is there, or if it is nowhere."""
    found = sorted(static.glob(f"static/media/{pattern}"))
    if not found:
        return ""
    return f'@font-face{{font-family:"{name}";src:url(./static/media/{found[0].name}) format("woff2");font-weight:200 900;font-display:swap}}\n'


def _in_address(icon: str) -> str:
    return icon.replace("%", "%25").replace("#", "%23").replace('"', "'").replace("<", "%3C").replace(">", "%3E")
