"""Languages by their English names: "french" and "fr" are the same."""

from collections.abc import Mapping

from selfedge.bindings.ai.errors import BadInput

_NAMES = """
af afrikaans, am amharic, ar arabic, ast asturian, az azerbaijani, ba bashkir,
be belarusian, bg bulgarian, bn bengali, br breton, bs bosnian, ca catalan,
ceb cebuano, cs czech, cy welsh, da danish, de german, el greek, en english,
es spanish, et estonian, fa persian, ff fulah, fi finnish, fr french, fy frisian,
ga irish, gd gaelic, gl galician, gu gujarati, ha hausa, he hebrew, hi hindi,
hr croatian, ht haitian, hu hungarian, hy armenian, id indonesian, ig igbo,
ilo iloko, is icelandic, it italian, ja japanese, jv javanese, ka georgian,
kk kazakh, km khmer, kn kannada, ko korean, lb luxembourgish, lg ganda, ln lingala,
lo lao, lt lithuanian, lv latvian, mg malagasy, mk macedonian, ml malayalam,
mn mongolian, mr marathi, ms malay, my burmese, ne nepali, nl dutch, no norwegian,
ns sotho, oc occitan, or oriya, pa punjabi, pl polish, ps pashto, pt portuguese,
ro romanian, ru russian, sd sindhi, si sinhala, sk slovak, sl slovenian, so somali,
sq albanian, sr serbian, ss swati, su sundanese, sv swedish, sw swahili, ta tamil,
th thai, tl tagalog, tn tswana, tr turkish, uk ukrainian, ur urdu, uz uzbek,
vi vietnamese, wo wolof, xh xhosa, yi yiddish, yo yoruba, zh chinese, zu zulu
"""
_CODES: Mapping[str, str] = {
    name: code for code, name in (pair.split() for pair in _NAMES.split(","))
}
_CODE_MAX_CHARS = 12


def code(field: str, language: str) -> str:
    """Return "fr" for "fr", "FR" and "French"; longer codes of models stay.

    Raises:
        BadInput: it is neither a code nor a language's name; `field` names it.
    """
    wanted = language.strip()
    if found := _CODES.get(wanted.lower()):
        return found
    plain = wanted.replace("_", "").replace("-", "")
    if plain.isalpha() and plain.isascii() and 2 <= len(wanted) <= _CODE_MAX_CHARS:
        return wanted
    raise BadInput(f"{field}: give a language code, such as fr, or an English name")
