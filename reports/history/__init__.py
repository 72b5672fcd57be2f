"""What happened in a run, reconstructed from its record: calls, sessions, and the calls that met a fault.

calls        calls, attempts and sessions as objects
joining      joins the spans of client, gateway and replicas into calls
rephased     calls that were joined once, in the phases of a fault window
upstream     attempts of a gateway that is not ours, from the replicas' requests
served       whether the replicas of the run got its calls, behind a gateway that is not ours
encounters   the calls that met a fault, and how long each was interrupted
arrivals     when the tokens of each call arrived, by phase
deaths       when a replica's process was gone
gateway_counts  attempts that a real gateway counted as refused
unseen       attempts that a dead replica refused, which nobody saw
evidence     the input of all measures: calls as columns, scopes, faults, resampling
intervals    intervals of rates, percentiles and quotients at the effective number of samples
statistics   percentiles and the bootstrap by session
token_counts  where token counts come from
windows      shares of good calls in sliding windows
work         per call: attempts, prefill, decoded and wasted tokens
"""
