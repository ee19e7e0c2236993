"""What invented candidates say about themselves, put together from sentences that were written to go together.

Each list is gone through in a circle. The lengths of the lists have no common divisor (a test says so), so the
same combination comes back only after the product of two lengths, far beyond the longest list of candidates.
"""

from random import Random

_PRONOUNS = {"female": {"they": "she", "They": "She", "their": "her"}, "male": {"they": "he", "They": "He", "their": "his"}}

CAREERS = (
    "{name} taught mathematics at a secondary school in {town} for twelve years.",
    "{name} drove buses in {town} before training as a transport planner.",
    "{name} keeps a small bakery in {town}, open from five every morning.",
    "{name} worked as a district nurse in and around {town} for most of two decades.",
    "{name} came to {town} as an apprentice electrician and now trains apprentices.",
    "{name} ran the public library in {town} and saw it into its new building.",
    "{name} is a structural engineer from {town} who inspects bridges for a living.",
    "{name} grew up above a shop in {town} and later took over its accounts.",
    "{name} served as a paramedic in {town} and has climbed most of its stairs.",
    "{name} manages a food bank in {town} that three schools helped to build.",
    "{name} has been a family solicitor in {town} since finishing night school.",
    "{name} grew vegetables for the market in {town} before going into soil science.",
    "{name} repaired trains in {town} and went on to plan their timetables.",
    "{name} edited the local newspaper in {town} for nine years.",
    "{name} studied medicine late and has been a GP in {town} ever since.",
    "{name} writes software for water companies from a spare room in {town}.",
    "{name} led a primary school in {town} through three inspections and one flood.",
    "{name} worked as a bricklayer in {town} and then as a building inspector.",
    "{name} is a pharmacist in {town} and knows half of it by name.",
    "{name} coached swimmers in {town} before running the sports centre there.",
    "{name} interpreted for the courts in {town} for ten years.",
    "{name} has looked after older people in {town} since leaving school.",
    "{name} spent fifteen years as a firefighter in {town}.",
)
DEEDS = (
    "{They} led the campaign that reopened the local swimming pool.",
    "As a councillor, {they} published every contract above a thousand pounds.",
    "{They} set up a repair workshop that has mended more than four thousand appliances.",
    "{They} chaired the flood committee in the winter when the river came over twice.",
    "As a school governor, {they} found the money for a kitchen that cooks on site.",
    "{They} persuaded two rival bus companies to accept each other's tickets.",
    "{They} organised the first community energy scheme in the county.",
    "{They} spent six years on the planning committee and read every page.",
    "{They} founded a credit union that now has two thousand members.",
    "With neighbours, {they} turned a derelict car park into a covered market.",
    "{They} served as treasurer of a housing association and left it free of debt.",
    "{They} started an evening class for people returning to work.",
    "{They} set up the volunteer service that drives patients to hospital.",
    "As a magistrate, {they} pressed for quicker hearings and plainer letters.",
    "{They} brought broadband to eleven villages that had been told to wait.",
    "{They} negotiated the agreement that kept the last bank counter open.",
    "{They} wrote the guide that new tenants in the district are given with their keys.",
    "{They} raised the money for a second ambulance station in four months.",
    "As a parish councillor, {they} had every footpath walked, mapped and repaired.",
)
LIVES = (
    "{They} plays the cornet in a brass band.",
    "{They} has three children and a stubborn allotment.",
    "{They} cycles to every meeting within ten miles.",
    "At weekends, {they} referees under-twelves football.",
    "{They} keeps bees and gives most of the honey away.",
    "{They} sings in a choir that welcomes everybody who can hum.",
    "{They} has walked the Pennine Way twice, once by mistake.",
    "{They} is learning sign language with {their} neighbours.",
    "{They} looks after {their} mother, who disagrees with most of this leaflet.",
    "{They} restores old bicycles and finds homes for them.",
    "{They} has never missed a meeting without saying why.",
    "{They} bakes for every polling day and promises to do so again.",
    "{They} lives with two retired greyhounds.",
    "{They} answers letters by hand, usually within a week.",
    "On clear nights, {they} opens the telescope in {their} garden to anyone who rings the bell.",
    "{They} captains a quiz team that once came second.",
    "{They} swims outdoors all year and does not recommend it.",
    "{They} has given blood fifty times and means to reach a hundred.",
    "{They} reads to pupils at {their} old school every Friday.",
    "{They} rings church bells and will gladly explain how.",
    "{They} shares a garden with four other families.",
)

CREEDS = {
    "Management Party": "Government is a job, and jobs can be done well.",
    "Savior Party": "Nobody should have to face a hard year alone.",
    "Tech Republic Party": "Good tools, owned by everyone, make a free country.",
    "Hedgerow Party": "What grows slowly lasts.",
    "Open Ledger Party": "Public money should leave a public trail.",
    "Lantern League": "A light in every village hall, a voice for every street.",
    "Tidewater Union": "Coasts and rivers made this country, and they deserve our care.",
    "Free Library Party": "A country that reads together can disagree in peace.",
    "Allotment Alliance": "A little ground for everyone, and time to dig it.",
    "Steady Hand Party": "Change should be careful, tested and built to last.",
    "Daylight Movement": "Decisions are better when people can watch them being made.",
    "Clearwater Union": "Clean water, clear rules and honest answers.",
}
SERVICES = (
    "run buses until midnight",
    "offer every patient an appointment within a week",
    "build ten thousand homes on land that the public already owns",
    "reopen branch lines wherever the track bed is still there",
    "give every school a nurse and a music teacher",
    "mend roads once and properly",
    "make evening childcare part of every primary school",
    "train twice as many electricians and plumbers",
    "keep a post office within three miles of every home",
    "insulate a hundred thousand draughty homes",
    "bring every town a dentist who takes new patients",
    "see that an apprentice's wage covers the rent",
    "double the number of district nurses",
    "make one ticket valid on every kind of public transport",
    "turn empty shops into workshops and flats",
    "teach first aid and household budgeting in every school",
    "staff every station from the first train to the last",
)
RULES = (
    "publish every invoice within a month",
    "let residents decide on a tenth of the council's budget",
    "write every public letter in plain English",
    "cap what landlords may ask for as a deposit",
    "end contracts that nobody outside the room has read",
    "try out new rules in one county before all of them",
    "make sure that small firms are paid within thirty days",
    "tax empty houses and spend the money on new ones",
    "keep a counter with a person behind it in every public office",
    "make software that the public paid for open to the public",
    "limit our own campaign spending before anybody else's",
    "hold an open question hour in a different town every month",
    "let councils keep what they save",
    "audit every large project while it can still be stopped",
    "pay carers for the hours that they really work",
    "freeze fees until somebody answers the telephone",
)
PLACES = (
    "plant a tree for every pupil",
    "make rivers fit to swim in again",
    "keep every playground open and in repair",
    "leave a third of all verges to wild flowers",
    "light the paths that people walk home on",
    "give every street that wants one a shared garden",
    "heat public baths with waste warmth",
    "put solar panels on the roof of every school",
    "put back the benches that were taken away",
    "open school playing fields to everyone at weekends",
    "fund mountain rescue as reliably as museums",
    "buy school meals from farms nearby",
    "make repairing things cheaper than replacing them",
    "restore the hedges that were lost",
    "keep village halls warm all winter",
)


class Leaflets:
    """The texts of one election's candidates: numbers below 200 never get the same one."""

    def __init__(self, random: Random) -> None:
        shuffled = (random.sample(sentences, len(sentences)) for sentences in (CAREERS, DEEDS, LIVES, SERVICES, RULES, PLACES))
        self._careers, self._deeds, self._lives, self._services, self._rules, self._places = shuffled

    def biography(self, number: int, name: str, gender: str, town: str) -> str:
        sentences = " ".join(_in_turn(pool, number) for pool in (self._careers, self._deeds, self._lives))
        return in_words(sentences, name, gender, town)

    def platform(self, number: int, party: str) -> str:
        service, rule, place = (_in_turn(pool, number) for pool in (self._services, self._rules, self._places))
        return f"{CREEDS[party]} We will {service}, {rule}, and {place}."


def in_words(sentences: str, name: str, gender: str, town: str) -> str:
    """The sentences about this person: `gender` is female or male."""
    return sentences.format(name=name, town=town, **_PRONOUNS[gender])


def _in_turn(pool: list[str], number: int) -> str:
    return pool[number % len(pool)]
