# Hygon CSV as verdictd's policies judge it: one answer, from a list of measurements in the data file. An empty list grants
# every measurement, so that a first run can be recorded.
package policy

default allow := false

allow if {
	measure_is_grant
}

measure_is_grant if {
	count(data.measure) == 0
}

measure_is_grant if {
	count(data.measure) > 0
	input.measure == data.measure[_]
}
