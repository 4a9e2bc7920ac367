package check_test

func ownershipFaults() []fault { return nil }
