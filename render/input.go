package render

// InputError says that something the user gave cannot be: a name, a fact, a
// value, a file. Nothing has been touched when it is returned.
type InputError struct {
	What string // what is wrong, naming the thing given
	Why  string // the rule it breaks, in the reader's terms
	Next string // what to type or change instead
	Err  error  // the cause, where there is one
}

func (e *InputError) Error() string { return e.What + ": " + e.Why }

func (e *InputError) Unwrap() error { return e.Err }

// Parts gives the three parts an error message is printed in.
func (e *InputError) Parts() (what, why, next string) { return e.What, e.Why, e.Next }
