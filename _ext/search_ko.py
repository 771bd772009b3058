"""Korean for Sphinx's search: 필터 finds 필터를, and 필터를 finds 필터.

Index and query pass through the same two steps. *Splitting* takes runs of one script, so ``CNN은`` gives
``CNN`` and ``은``, and writes numbers as ``#1792``, since Sphinx drops bare numbers from a query; ``1,792``
is the same number. *Stemming* cuts one particle off a Korean word when two syllables remain and the particle
fits the sound before it (을 after a consonant, 를 after a vowel): 결과를 becomes 결과, while 결과 and 평가
stay whole. English goes through the Porter stemmer that Sphinx brings. The index also holds the beginnings of
Korean words, which finds compounds and whatever the list of particles misses.
"""

from __future__ import annotations

import json
import re

import sphinx.search
from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish

# Particle -> the sound it follows: "C" a final consonant, "V" none, "A" either.
PARTICLES = {
    particle: sound
    for sound, particles in {
        "C": "을 은 이 과 으로 이나 이란 이라 이라는 이며 이고 이므로 으로는 으로써",
        "V": "를 는 가 와 나 란 라 라는 며 로는 로써 므로",
        "A": "의 에 도 만 로 에서 에는 에도 에서는 까지 부터 보다 처럼 마다 만큼 대로 뿐 씩 들 들이 "
        + "들을 들은 들의 하고 이다 입니다 하는 하면 하여 해서 한 할 합니다 됩니다 되는 된 마저 조차 "
        + "에게 께 와는 과는 만을 만이 의한",
    }.items()
    for particle in particles.split()
}
_LONGEST = max(map(len, PARTICLES))
# One pattern for Python and JavaScript, so without \\w, which they read differently.
_WORD = re.compile(r"[가-힣]+|\d+(?:[.,]\d+)*|[A-Za-zÀ-ɏΑ-ω_][A-Za-zÀ-ɏΑ-ω_0-9]*")
_NUMBER = re.compile(r"\d[\d.,]*")


def split(text: str) -> list[str]:
    """Words of ``text``, one script each; numbers as ``#digits``."""
    words = _WORD.findall(text)
    return ["#" + word.replace(",", "") if _NUMBER.fullmatch(word) else word for word in words]


def stem_korean(word: str, least: int = 2) -> str:
    """Cut the particle off, if ``least`` syllables remain; one is enough before 을, 를, 은, 는 (값을)."""
    for length in range(min(_LONGEST, len(word) - 1), 0, -1):
        particle, rest = word[-length:], word[:-length]
        sound = PARTICLES.get(particle)
        if sound is None or (len(rest) < least and particle not in "을를은는"):
            continue
        closed = (ord(rest[-1]) - 0xAC00) % 28 > 0  # the syllable ends in a consonant
        if sound == "A" or closed == (sound == "C"):
            return rest
    return word


class SearchKorean(SearchEnglish):
    """Korean, with English through the Porter stemmer."""

    lang = "ko"
    language_name = "Korean"
    js_splitter_code = f"""
// A page opened from a folder may not read other pages: results then come without excerpts.
if (globalThis.location?.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
const koWord = /{_WORD.pattern}/g;
function splitQuery(query) {{
  return (query.match(koWord) || []).map((w) => (/^\\d/.test(w) ? "#" + w.replaceAll(",", "") : w));
}}
"""
    js_stemmer_code = SearchEnglish.js_stemmer_code.replace("var Stemmer", "var PorterStemmer") + (
        f"const koParticles = {json.dumps(PARTICLES, ensure_ascii=False)};"
        """
function koStem(word) {
  for (let length = Math.min(%d, word.length - 1); length > 0; length--) {
    const particle = word.slice(-length), rest = word.slice(0, -length);
    const sound = koParticles[particle];
    if (!sound || (rest.length < 2 && !"을를은는".includes(particle))) continue;
    const closed = (rest.charCodeAt(rest.length - 1) - 0xac00) %% 28 > 0;
    if (sound === "A" || closed === (sound === "C")) return rest;
  }
  return word;
}
var Stemmer = function () {
  const english = new PorterStemmer();
  this.stemWord = (word) => (/^[가-힣]/.test(word) ? koStem(word) : english.stemWord(word));
};
""" % _LONGEST
    )

    def split(self, input: str) -> list[str]:
        """Words to index: each word, and for Korean also its beginnings and its stem of one syllable."""
        found = []
        for word in split(input):
            found.append(word)
            if "가" <= word[0] <= "힣":
                found += [word[:end] for end in range(2, min(len(word), 7))]
                if len(word) == 2:  # 층이 is found by 층
                    found.append(stem_korean(word, 1))
        return found

    def stem(self, word: str) -> str:
        """Give the form under which a word stands in the index; the beginnings of words arrive here too."""
        if "가" <= word[:1] <= "힣":
            return stem_korean(word)
        return word if word.startswith("#") else super().stem(word)

    def word_filter(self, word: str) -> bool:
        """Keep every Korean word and number, even of one sign; English as Sphinx does."""
        return bool(word) and (not word.isascii() or word not in self.stopwords)


def setup(app: Sphinx) -> dict[str, object]:
    """Register the language (``language: ko`` then chooses it)."""
    sphinx.search.languages["ko"] = SearchKorean
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
