package check_test

func controllerFaults() []fault { return nil }

func controllerWideFaults() []fault { return nil }
