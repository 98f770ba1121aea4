package policy

test_listed if allow with input as {"measure": "m2"} with data.measure as ["m1", "m2"]

test_not_listed if not allow with input as {"measure": "m3"} with data.measure as ["m1", "m2"]

test_empty_list if allow with input as {"measure": "m3"} with data.measure as []

test_no_list if not allow with input as {"measure": "m3"}

test_no_measure if not allow with input as {} with data.measure as ["m1"]
