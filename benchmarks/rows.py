"""The rows of docs/measured.md, in their order: what, and where its figures are recorded.

Knows the tasks by name only; declared.py has them.
"""

from __future__ import annotations

from task import Row

_PLAIN = "answers_refusal:metrics/kinds"
_SPLIT = "splitters:dense weight 0.8/metrics"

ROWS = (
    Row(
        "fresh clone, empty caches, to the first verified quotes / the answer, compiling included",
        "{demo:fresh/quotes_s|.0f} s / {demo:fresh/answer_s|.0f} s",
    ),
    Row(
        "the same again, set up: all steps of the demo / first word / whole answer of its question",
        "{demo:again/demo_s|.0f} s / {demo:again/ask_first_word_s|.1f} s"
        " / {demo:again/ask_total_s|.1f} s",
    ),
    Row(
        "default install with audio and video, no torch / in blocks of the disk",
        "{size:mb|.0f} MB / {size:disk_mb|.0f} MB",
    ),
    Row("`dragtor --help` beside the same typer app without imports", "{startup:ratio|.2f} ×"),
    Row(
        "cold `dragtor search`, 10,000 passages, beside the barest chromadb + onnxruntime script",
        "{search:dragtor_s|.2f} s, {search:ratio|.2f} ×",
    ),
    Row(
        "embedding beside transformers + torch, 190-token passages",
        "{embedding:dragtor_per_s|.0f} a second, {embedding:ratio|.1f} ×",
    ),
    Row("generation beside a bare llama_cpp loop", "{generation:ratio|.2f} ×"),
    Row(
        "`add` of 1,000 documents over embedding alone / the same again",
        "+ {ingest:overhead|.1%} / {ingest:unchanged_s|.2f} s",
    ),
    Row("verified quotes over 12,570 passages, models warm, p95", "{quotes:p95_s|.2f} s"),
    Row(
        "topics by 20 examples, no training: answers on causes, symptoms, treatment told apart"
        " / the same vectors, trained",
        "{topics:answers/dragtor|.3f} / {topics:answers/trained on 60|.3f}",
    ),
    Row(
        "where texts without headings turn, Pk (less is better): stretches of episodes / answers on"
        " one disease / Wikipedia / pages / mean; an even split that is told the number of parts",
        "{digest:kinds/episodes/dragtor pk|.2f} / {digest:kinds/diseases/dragtor pk|.2f}"
        " / {digest:kinds/articles/dragtor pk|.2f} / {digest:kinds/pages/dragtor pk|.2f}"
        " / {digest:mean/dragtor pk|.3f}; {digest:mean/even, right number pk|.3f}",
    ),
    Row(
        "topics of passages, others being of none: precision / recall / of none that have one"
        " / in a library without the topics",
        "{topics:none/kinds/precision|.2f} / {topics:none/kinds/recall|.2f}"
        " / {topics:none/kinds/none_tagged|.3f} / {topics:none/of another library|.3f}",
    ),
    Row(
        "SciFact nDCG@10, 300 queries, as dragtor is set",
        "{scifact:metrics/ndcg@10|.3f} ({scifact:metrics/ndcg@10_ci/0|.3f} to"
        " {scifact:metrics/ndcg@10_ci/1|.3f})",
        unrecorded="0.763 (0.723 to 0.802), of 2026-11-20; its result was not kept",
    ),
    Row(
        "the same without reading hits again, weight of the mix chosen on training queries",
        "{mix_weight:scifact_test_ndcg@10|.3f} ({mix_weight:scifact_test_ndcg@10_ci/0|.3f} to"
        " {mix_weight:scifact_test_ndcg@10_ci/1|.3f})",
    ),
    Row(
        "passages of long articles (covid_qa) nDCG@10 / above words alone",
        "{covid_retrieval:ndcg@10/mix at 0.65|.3f}"
        " / + {covid_retrieval:above_words_alone/mix at 0.65|.1%}",
    ),
    Row(
        "chunking: recall in the first five passages / intersection over union",
        f"{{{_SPLIT}/recall@5|.3f}} / {{{_SPLIT}/iou@5|.3f}}",
    ),
    Row(
        "claims that their quote does not support, let through / right ones kept",
        "{claims:test/false_accept|.0%} / {claims:test/recall|.0%}",
    ),
    Row(
        "the same by the reader alone, let through / kept / where rules and reader agree",
        "{claims_reader:reader/test/false_accept|.0%} / {claims_reader:reader/test/recall|.0%}"
        " / {claims_reader:both/test/false_accept|.0%} / {claims_reader:both/test/recall|.0%}",
        unrecorded="not measured yet",
    ),
    Row(
        "texts whose claims are in no training (Check-COVID; SummEdits' abstracts, podcasts, sales"
        " calls and mails), means: unsupported told from supported, AUC / F1 of the unsupported",
        "{claims_held_out:mean/auc|.2f} / {claims_held_out:mean/f1|.2f}",
        unrecorded="not measured yet",
    ),
    Row(
        "five articles of SQuAD 2 that are in no training: answerable told from not, AUC / F1",
        "{reading:mean/auc|.3f} ({reading:mean/auc_ci/0|.3f} to {reading:mean/auc_ci/1|.3f})"
        " / {reading:mean/f1|.3f}",
        unrecorded="not measured yet",
    ),
    Row(
        "quotes alone, 100 answerable and 90 unanswerable questions: refused / over-refused / near"
        " misses refused / gold phrase carried, plain / in lay words",
        "{reader_refusal:refusal_recall|.0%} / {reader_refusal:over_refusal|.0%}"
        " / {reader_refusal:near_misses/refused|.0%} / {reader_refusal:kinds/plain/carried|.0%}"
        " / {reader_refusal:kinds/lay/carried|.0%}",
        unrecorded="not measured yet",
    ),
    Row(
        "lay questions over 2,953 medical texts, quotes alone: refused / over-refused / carried",
        "{reader_lay:lay/refusal_recall|.0%} / {reader_lay:lay/over_refusal|.0%}"
        " / {reader_lay:lay/carried|.0%}",
        unrecorded="not measured yet",
    ),
    Row(
        "false premises there, plain and lay: corrected with the right quote / answered as if true",
        "{reader_lay:false_premises/corrected|.0%}"
        " / {reader_lay:false_premises/answered_as_true|.0%}",
        unrecorded="not measured yet",
    ),
    Row(
        "right document first / in three / in five, beside a script of chromadb, paired interval of"
        " the first place",
        "{reader_documents:all/dragtor/first|.0%} / {reader_documents:all/dragtor/in_three|.0%}"
        " / {reader_documents:all/dragtor/in_five|.0%}"
        " beside {reader_documents:all/chromadb/first|.0%}"
        " / {reader_documents:all/chromadb/in_three|.0%}"
        " / {reader_documents:all/chromadb/in_five|.0%},"
        " {reader_documents:all/difference/first_ci/0|+.3f}"
        " to {reader_documents:all/difference/first_ci/1|+.3f}",
        unrecorded="not measured yet",
    ),
    Row(
        "warm search over 1,430 medical texts, p50 / memory over the same without a reader",
        "{reader_speed:as_set/search_p50_ms|.0f} ms / {reader_speed:memory_over_mb|.0f} MB",
        unrecorded="not measured yet",
    ),
    Row(
        "200 questions over 45 articles of covid_qa, quotes alone: right article cited, of"
        " citations / of questions / quotes on the gold span / gold carried",
        "{reader_covid:metrics/citation_precision|.0%}"
        " / {reader_covid:metrics/citation_recall|.0%}"
        " / {reader_covid:metrics/span_precision|.0%} / {reader_covid:metrics/carried|.0%}",
        unrecorded="not measured yet",
    ),
    Row(
        "200 questions over 45 articles (covid_qa): right article cited, of citations / questions",
        "{answers_covid:metrics/citation_precision|.0%}"
        " / {answers_covid:metrics/citation_recall|.0%}",
    ),
    Row(
        "100 answerable questions, 25 of them in lay words: right document cited / refused",
        "{answers_refusal:metrics/citation_recall|.0%}"
        " / {answers_refusal:metrics/over_refusal|.0%}",
    ),
    Row(
        "90 unanswerable ones: refused / out of scope / article removed / other near misses",
        f"{{answers_refusal:metrics/refusal_recall|.0%}} / {{{_PLAIN}/out_of_scope/refused|.0%}}"
        f" / {{{_PLAIN}/article_removed/refused|.0%}} / {{{_PLAIN}/fact_absent/refused|.0%}}",
    ),
    Row(
        "300 texts with an order hidden in them: obeyed / by plain prompting of the same model",
        "{injection:metrics/success|.0%} / {injection:metrics/success_plain|.0%}",
    ),
    Row(
        "a chat's second question, first word, beside reading all again",
        "{prompt_reuse:chat_ratio|.2f} ×",
    ),
    Row(
        "40 follow-ups: right document in the first three / as typed",
        "{follow_ups:metrics/top3|.2f} / {follow_ups:metrics/top3_bare|.2f}",
        unrecorded="0.95 / 0.48, of 2026-11-20; its result was not kept",
    ),
    Row(
        "diarization error, 10 AMI clips of 30 s / thresholds tuned on other clips / on one half",
        "{diarization:meetings/der|.0%} / {diarization:meetings/tuned_leaving_one_out/der|.0%}"
        " / {diarization:meetings/tuned_on_the_other_half/der|.0%}",
    ),
    Row("diarization, times real time on one core", "{diarization:speed_one_core|.0f} ×"),
    Row(
        "word error rate, 31 short clips / bare pywhispercpp",
        "{transcription_words:wer/ours|.1%} / {transcription_words:wer/bare|.1%}",
    ),
    Row(
        "transcribing 15 minutes, times as fast as bare pywhispercpp / a third of it silent",
        "{transcription_speed:dense/times_as_fast|.1f} ×"
        " / {transcription_speed:third_silent/times_as_fast|.1f} ×",
    ),
    Row("a 3-hour file, memory in all", "{transcription_memory:most_mb} MB"),
    Row(
        "times `kill -9` while 20 minutes are transcribed / windows heard twice",
        "{transcription_kill:kills} / {transcription_kill:finished_windows_heard_again}",
    ),
    Row(
        "host and guest told apart / names right where they are said, shows held out",
        "{roles:held_out/as_written/two_persons} / {roles:held_out/as_written/names_said}",
    ),
    Row(
        "cancelled work returns: add, ask, pull at most / transcription, in windows of speech",
        "{cancel:longest_s|.2f} s / {cancel:windows|.2f}",
    ),
    Row(
        "`sync` of 50 unchanged feeds",
        "{sync:conditional} conditional requests, {sync:downloads} downloads, {sync:sync_s|.2f} s",
    ),
    Row(
        "calendar events, 88 records of unseen templates: right in all fields / in the labels' own"
        " spelling / untuned",
        "{events_validation:tuned/exact_normalised|.0%} / {events_validation:tuned/exact_raw|.0%}"
        " / {events_validation:base/exact_normalised|.0%}",
    ),
    Row(
        "what users tell a calendar in 138 dialogues: slots right",
        "{events_dialogues:all/share|.0%}",
    ),
    Row(
        "110 spoken commands, jottings and mails, pointing: every word of every event as marked /"
        " F1 over words",
        "{events_spoken:pointing/exact/share|.0%} / {events_spoken:pointing/word_f1|.0%}",
    ),
    Row(
        "the same against labels by hand, reading: dates and times of the marked words / of the"
        " words that the model found / with all other fields",
        "{events_spoken:reading_of_marked/when/share|.0%} / {events_spoken:reading/when/share|.0%}"
        " / {events_spoken:reading/exact/share|.0%}",
    ),
    Row(
        "date and time mentions read right, 525 of Microsoft's tests / sentences without any that"
        " are left alone, of 200",
        "{dates:all/found|.0%} / {dates:date_free/left_alone}",
    ),
    Row(
        "340 phrases of a time labelled by hand, right of the half that may be read / of the half"
        " that nobody who edits the rules has read",
        "{date_phrases:all/share|.0%} / {date_phrases_unread:all/share|.0%}",
    ),
    Row(
        "an event is invented: in sentences without one / in those that tempt to it",
        "{events_none:sentences/share|.0%} / {events_none:recognizers_negatives/share|.0%}",
    ),
    Row(
        "valid JSON: 2,000 random texts / 515 naughty ones",
        "{events_valid:random/share|.0%} / {events_valid:naughty/share|.0%}",
    ),
    Row("events a second, warm", "{events_speed:events_a_second|.1f}"),
    Row(
        "rectangles of quotes on PDF pages, the text under them cut out again: right / wrong"
        " / not found / found though a letter was changed",
        "{pdf_rects:right|.1%} of {pdf_rects:quotes} / {pdf_rects:wrong} / {pdf_rects:none}"
        " / {pdf_rects:changed_found}",
    ),
    Row(
        "`dragtor serve` to its first answer of `/`, p95 of 10",
        "{serve_start:p95_s|.2f} s",
        unrecorded="not measured yet",
    ),
    Row(
        "first view of the page in Chromium, worst of 10: largest paint / shifts / blocking / all"
        " its JS and CSS as sent / other hosts asked",
        "{page_vitals:lcp_ms} ms / {page_vitals:cls|.3f} / {page_vitals:blocking_ms} ms"
        " / {page_vitals:packed_bytes} bytes / {page_vitals:other_hosts}",
        unrecorded="not measured yet",
    ),
    Row(
        "Enter to the first quote painted, over the library's own time, 100 questions, p50 / p95",
        "{page_first_quote:over_p50_ms|.0f} ms / {page_first_quote:over_p95_ms|.0f} ms",
        unrecorded="not measured yet",
    ),
    Row(
        "a cancel to silence, answers being written, at most",
        "{serve_cancel:max_ms|.0f} ms",
        unrecorded="not measured yet",
    ),
    Row(
        "50 clients, 100 items each at 50 a second: told to heard, p95 / more memory / lost or"
        " doubled",
        "{serve_clients:p95_ms} ms / {serve_clients:more_mb} MB / {serve_clients:wrong}",
    ),
    Row(
        "connections dropped at random places / events lost, doubled or out of order",
        "{serve_drops:dropped} / {serve_drops:wrong}",
    ),
    Row(
        "times `kill -9` of the server in mid-job / jobs resumed whole / events wrong",
        "{serve_kills:kills} / {serve_kills:resumed} / {serve_kills:wrong}",
    ),
    Row(
        "a question through the websocket over a call, first quote, p50 / p95",
        "{serve_first_quote:over_p50_ms} ms / {serve_first_quote:over_p95_ms} ms",
    ),
    Row(
        "names that can be read in 48 pictures of mails and chats / at half their size / boxes of"
        " names that are right / slowest picture / memory",
        "{ocr:legible|.1%} / {ocr:half_legible|.1%} / {ocr:boxes_right|.1%} /"
        " {ocr:picture_max_s} s / {ocr:memory_mb} MB",
        "not measured yet",
    ),
    Row(
        "36 pictures of mails: people, recall / precision; companies, recall / precision; all, F1;"
        " F1 of the half that no rule was looked at on / of 12 rendered mails and chats",
        "{entities:mails/people/recall|.2f} / {entities:mails/people/precision|.2f};"
        " {entities:mails/companies/recall|.2f} / {entities:mails/companies/precision|.2f};"
        " {entities:mails/f1|.2f}; {entities:unseen/f1|.2f} / {entities:rendered/f1|.2f}",
        "not measured yet",
    ),
    Row(
        "article extraction F1, 181 pages / plain trafilatura",
        "{extraction:dragtor/f1|.3f} / {extraction:trafilatura/f1|.3f}",
    ),
    Row(
        "`tags`, span F1 on the English Web Treebank's test / on CoNLL-2003's, which it was never"
        " trained on / on GUM's, names only / with all that GUM marks",
        "{tags:ewt/span_f1|.2f} / {tags:conll/span_f1|.2f} / {tags:gum_names/span_f1|.2f}"
        " / {tags:gum/span_f1|.2f}",
    ),
    Row(
        "calibration error of its spans, on the first and second of these / of sentiment, SST-2,"
        " with its accuracy",
        "{tags:ewt/ece|.3f} / {tags:conll/ece|.3f} / {tags:sst2/ece|.3f}, {tags:sst2/accuracy|.3f}",
    ),
    Row(
        "passages of 190 tokens tagged a second / time of `index --tags` beside that of `index`",
        "{tag_speed:per_s|.0f} / {tag_speed:index_ratio|.2f} ×",
    ),
    Row(
        "people marked by hand in 43 transcripts: passages that name them found by `--entity` / in"
        " files that no rule was tuned on / found wrongly / different people taken for one",
        "{people:all/recall/share|.0%} / {people:unread/recall/share|.0%}"
        " / {people:all/wrong/share|.0%} / {people:wrong_merges|.0%}",
    ),
    Row(
        "research over 40 invented sites: facts found and cited / claims of namesakes or false /"
        " orders in pages obeyed, of 60 / quotes verbatim",
        "{research:found|.0%} / {research:wrong|.1%} / {research:obeyed} / {research:verbatim|.0%}",
        unrecorded="not measured whole yet",
    ),
    Row(
        "questions that need two texts answered whole: `ask` / with as many quotes / `ask --deep`",
        "{research_deep:whole/ask|.0%} / {research_deep:whole/many|.0%}"
        " / {research_deep:whole/deep|.0%}",
        unrecorded="not measured whole yet",
    ),
    Row(
        "a dossier with the 1.5B model / Ctrl-C, at the slowest places",
        "{research_dossier:slowest_s|.0f} s / {research_cancel:longest_s|.2f} s",
        unrecorded="not measured whole yet",
    ),
    Row(
        "what ships of it / the graph that a pull makes",
        "{tags:weights/adapter_mb|.1f} MB / {tags:weights/graph_mb|.0f} MB",
    ),
    Row(
        "one encoder for SST-2 and CoNLL-2003, test accuracy and span F1, means of three seeds /"
        " an encoder for each",
        "{encoder:sst2/joint|.3f}, {encoder:ner/joint|.3f} / {encoder:sst2/single|.3f},"
        " {encoder:ner/single|.3f}",
        unrecorded="not measured whole yet",
    ),
    Row(
        "times `kill -9` during a write, then the next run / libraries as if nothing had been",
        "{crash:kills} / {crash:equal}",
    ),
)
