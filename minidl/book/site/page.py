"""A page of the book, and what search finds."""

from dataclasses import dataclass, field


@dataclass
class Page:
    """A page. file: its name. content: as HTML. part: of the contents. short: its title there.
    sections: (anchor, title). sources: (name, address) of the files that it explains."""

    file: str
    title: str
    content: str
    part: str = ""
    short: str = ""
    sections: list[tuple[str, str]] = field(default_factory=list)
    sources: list[tuple[str, str]] = field(default_factory=list)
    styles: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.short = self.short or self.title


@dataclass
class Entry:
    """Something that search finds. text: shown below the title. weight: how much it counts beside
    the words. words: what is searched too."""

    title: str
    kind: str
    text: str
    url: str
    weight: float = 0.0
    words: str = ""
