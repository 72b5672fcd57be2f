"""What did it mean? The record of a run, measures, gates and verdicts, and everything people read.

    attributes   the vocabulary of spans: every name a report reads        \\
    tokens       the token stream that proves itself                        | the ground floor, which
    errors       the error tree                                             | targets and loadprofiles share
    documents    YAML files with line numbers, validated                   /
    record       a run's folder, read back
    measures/    one number a file
    gates        the language of gates; verdict: pass, fail, inconclusive
    writers/     report.json, report.html, summary.md, junit.xml
    analysis     the process that turns a record into reports
"""
