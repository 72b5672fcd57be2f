"""What `chaos`, `loadprofiles`, `targets` and `reports` share. It imports nothing of the other packages.

attributes          names of spans, events and attributes, and their enumerations (outcomes, transitions)
bounded_server      an HTTP server whose connections are bounded in time and number
control_port        the check of Host, Origin and token that protects each control port
control_server      the HTTP server of control ports: limits and checks for each of them
document            a YAML document with the line of each value
documents           reads and validates YAML files
draws               seeded draws: a number as a function of a key
errors              the error tree, and suggestions for misspelt words
fault_traits        traits of a kind of fault, as written into the record
home                paths that begin with `~`
machine             the class of a machine
phases              the phases of a run
plain_text          text without control characters, safe to show
port_limits         which connections a control port drops
regular_file        reads a file that must be a regular one
secrets             masks keys in text
tenancy             tenant and tier of a request, by its API key
thresholds          thresholds that several parts apply
tokens              simulated token streams that a client can verify, and the marker of a call
undo_log            which faults a run armed and did not undo
units               durations and percentages in files
validation_errors   pydantic's errors as problems with line and remedy
whole_file          writes a file as a whole, or leaves it as it was
wording             numbers, values and intervals as text
"""
