"""The English words of time: numbers, units, days, months, parts of the day, zones.

Tables only: no function, no grammar.
"""

from __future__ import annotations

ONES = {word: n for n, word in enumerate((
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen").split())}  # fmt: skip
HOURS = list(ONES)[1:13]  # one to twelve
TENS = {word: 10 * n for n, word in enumerate(
    "twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}  # fmt: skip
ORDINALS = {word: n for n, word in enumerate((
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth"
    " fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth").split(), 1)
} | {"thirtieth": 30}  # fmt: skip
VAGUE_NUMBERS = {"few": 3, "several": 3, "some": 3, "couple": 2, "pair": 2, "dozen": 12}
FRACTION_WORDS = {"half": 0.5, "quarter": 0.25}
UNITS = {name: names.split()[0] for names in (
    "second seconds sec secs s", "minute minutes min mins", "hour hours hr hrs h", "day days",
    "night nights", "week weeks wk wks", "fortnight fortnights", "weekend weekends wknd wkend",
    "month months mth mths mo mos", "quarter quarters qtr qtrs", "year years yr yrs",
    "decade decades", "century centuries") for name in names.split()}  # fmt: skip
SHORT_UNITS = {"m": "minute", "d": "day", "w": "week", "y": "year"}  # only behind a digit
SECONDS_OF = {
    "second": 1, "minute": 60, "hour": 3600, "day": 86400, "night": 86400, "business day": 86400,
    "week": 604800, "fortnight": 1209600, "weekend": 172800, "month": 2592000, "quarter": 7776000,
    "year": 31536000, "decade": 315360000, "century": 3153600000,
}  # fmt: skip
TIMEX_UNITS = {  # unit -> number of what in ISO 8601
    "second": (1, "TS"), "minute": (1, "TM"), "hour": (1, "TH"), "day": (1, "D"), "night": (1, "D"),
    "business day": (1, "BD"), "week": (1, "W"), "fortnight": (2, "W"), "weekend": (1, "WE"),
    "month": (1, "M"), "quarter": (3, "M"), "year": (1, "Y"), "decade": (10, "Y"),
    "century": (100, "Y"),
}  # fmt: skip
MONTHS = {name: n for n, names in enumerate((
    "january jan", "february feb febr", "march mar", "april apr", "may", "june jun", "july jul",
    "august aug", "september sep sept", "october oct", "november nov", "december dec",
    ), 1) for name in names.split()}  # fmt: skip
WEEKDAYS = {name: n for n, names in enumerate((
    "monday mon", "tuesday tue tues", "wednesday wed weds wednes", "thursday thu thur thurs",
    "friday fri", "saturday sat", "sunday sun")) for name in names.split()}  # fmt: skip
CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")  # weekdays in RFC 5545
PLURAL_WEEKDAYS = {name + "s": n for name, n in WEEKDAYS.items() if name.endswith("day")}
# Words that are also something else: they need company.
AMBIGUOUS_NAMES = set("may march mar mon sun sat wed dec second sec jan fall".split())
NEXT = {"next", "nxt", "coming", "upcoming", "following"}
LAST = {"last", "past", "previous", "preceding", "prior"}
THIS = {"this", "current"}
SHIFTS = dict.fromkeys(NEXT, 1) | dict.fromkeys(LAST, -1) | dict.fromkeys(THIS, 0)
TODAY = {"today": 0, "otd": 0, "tonight": 0, "tomorrow": 1, "yesterday": -1} | dict.fromkeys(
    ("tmr", "tmrw", "tmw", "tmrrw", "tomorow", "tommorow", "tommorrow", "tomorrows"), 1
)
# part of the day: name in TIMEX3, from hour, to hour
DAY_PARTS = {
    "morning": ("MO", 8, 12), "forenoon": ("MO", 8, 12), "afternoon": ("AF", 12, 16),
    "arvo": ("AF", 12, 16), "evening": ("EV", 16, 20), "night": ("NI", 20, 24),
    "daytime": ("DT", 8, 18), "breakfast": ("MEB", 8, 12), "brunch": ("MER", 8, 12),
    "lunch": ("MEL", 11, 13), "dinner": ("MED", 16, 20), "supper": ("MED", 16, 20),
}  # fmt: skip
MEALS = {"breakfast", "brunch", "lunch", "dinner", "supper"}
EARLY = dict.fromkeys("early earlier beginning start".split(), "start")
EARLY |= {"mid": "mid", "middle": "mid"} | dict.fromkeys(("late", "later", "end"), "end")
SEASONS = {
    "spring": ("SP", 3), "summer": ("SU", 6), "fall": ("FA", 9), "autumn": ("FA", 9),
    "winter": ("WI", 12),
}  # fmt: skip
ADVERBS = {  # unit, how many
    "hourly": ("hour", 1), "daily": ("day", 1), "everyday": ("day", 1), "nightly": ("day", 1),
    "weekly": ("week", 1), "biweekly": ("week", 2), "fortnightly": ("week", 2),
    "monthly": ("month", 1), "bimonthly": ("month", 2), "quarterly": ("month", 3),
    "semiannual": ("month", 6), "semiannually": ("month", 6), "biannual": ("month", 6),
    "biannually": ("month", 6), "annual": ("year", 1), "annually": ("year", 1),
    "yearly": ("year", 1), "biennial": ("year", 2), "biennially": ("year", 2),
}  # fmt: skip
MEASURE_WORDS = set((
    "% percent per pct degrees ° dollars euros pounds million billion thousand kg g mg ml km m cm"
    " mm miles mph points times x litres liters inches feet ft mb gb hz fps").split())  # fmt: skip
VERBS = set((  # what may be said of a day or an hour
    "is was are were will would should could can works work worked sounds suits fits looks seems"
    " does might needs has had i we you he she it they").split())  # fmt: skip
FUNCTION_WORDS = VERBS | set((  # and other words and signs that count nothing
    "over via near outside inside after before during regarding re without since from until into"
    " onto through while though although where which who whose not no again also too only rather"
    " maybe perhaps still now here already usually always sometimes really actually definitely"
    " probably ok okay yes thanks thank cheers great fine good sure right let lets does do did can"
    ' may might shall but because then so when unless " ” ] |').split())  # fmt: skip
LINE_ENDS = {"", "\n"}  # of the text, of a paragraph or line
# What may follow a bare hour: "at 7 on Friday", not "at 7 sites".
AFTER_HOUR = LINE_ENDS.union(VERBS, SHIFTS, WEEKDAYS, MONTHS, (
    ". , ; : ! ? ) - – on today tomorrow tonight yesterday for and or to till til until this next"
    " last please sharp in with at by if of the but then when so because every each o around ish @"
    " ' i we unless just as there instead prompt exactly \"").split())  # fmt: skip
AFTER_HOUR_WORD = AFTER_HOUR - set("of the with as there to in and or by ' i we -".split())
ANY_WEEKDAY = {**WEEKDAYS, **PLURAL_WEEKDAYS}
# What tells that something has happened: verbs in the past, but none of an appointment.
PAST_VERBS = set((
    "was were did had went came got took saw met spoke said told began broke fell felt found gave"
    " left lost made ran sat sent shot slept stood thought threw woke won wrote knew kept heard"
    " held grew flew drove drank ate bought brought built caught chose did hurt taught swam sang"
    " rang rode rose stuck struck tore wore died tried led paid sold spent").split())  # fmt: skip
ARRANGED = set((
    "agreed arranged asked booked cancelled canceled changed confirmed decided delayed expected"
    " hundred hoped indeed invited moved needed ordered organised organized planned postponed"
    " promised pushed rescheduled reserved scheduled succeed supposed wanted proposed suggested"
    " exceed proceed offered").split())  # fmt: skip
BEFORE_PARTICIPLE = set(
    "am is are be been being s re ve have has having get gets to a an the t not".split()
)
NOT_PAST = set("will ll shall going gonna must should could would can may might please let".split())
BEFORE_LIMIT = set("to for until till by from".split())
CLAUSE_ENDS = LINE_ENDS.union(". ! ? ; : ,".split())
