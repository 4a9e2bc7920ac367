package check_test

func identityFaults() []fault { return nil }

func identityWideFaults() []fault { return nil }
