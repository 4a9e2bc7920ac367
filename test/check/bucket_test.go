package check_test

func bucketFaults() []fault { return nil }
