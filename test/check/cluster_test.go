package check_test

func clusterFaults() []fault { return nil }

func clusterWideFaults() []fault { return nil }
