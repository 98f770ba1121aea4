# The meaning of Trustee's sample policy for processors, in fewer words: what the chip says must be known, claim by claim,
# and what nobody stated stays unproven. SNP, TDX and the software TEE; add the ones you run.
package policy

# Nothing is known to be good until a rule below says so.
default executables := 33

default hardware := 97

default configuration := 36

trust_claims := {
	"executables": executables,
	"hardware": hardware,
	"configuration": configuration,
}

# --- AMD SEV-SNP ---

executables := 3 if {
	# The launch measurement is known.
	# Next: Register it under snp_launch_measurement.
	input.snp.measurement in query_reference_value("snp_launch_measurement")
}

hardware := 2 if {
	# The firmware's version is a known one.
	input.snp.reported_tcb_snp in query_reference_value("snp_snp_svn")

	# The microcode's version is a known one.
	input.snp.reported_tcb_microcode in query_reference_value("snp_microcode")
}

configuration := 2 if {
	# The guest cannot be debugged.
	input.snp.policy_debug_allowed == false

	# The guest cannot be migrated.
	input.snp.policy_migrate_ma == false
}

# --- Intel TDX ---

executables := 3 if {
	# Boot loader and kernel are known (RTMR 1).
	input.tdx.quote.body.rtmr_1 in query_reference_value("rtmr_1")

	# Command line and initrd are known (RTMR 2).
	input.tdx.quote.body.rtmr_2 in query_reference_value("rtmr_2")
}

hardware := 2 if {
	# The virtual firmware is known.
	input.tdx.quote.body.mr_td in query_reference_value("mr_td")

	# Intel holds the platform to be up to date.
	input.tdx.tcb_status == "UpToDate"
}

configuration := 2 if {
	# The trust domain cannot be debugged.
	input.tdx.td_attributes.debug == false

	# The CPU features are known.
	input.tdx.quote.body.xfam in query_reference_value("xfam")
}

# --- software TEE: for development, never for secrets ---

executables := 3 if input.sample.launch_digest in query_reference_value("launch_digest")

hardware := 2 if input.sample.svn in query_reference_value("svn")

configuration := 2 if input.sample
