package check_test

func awsFaults() []fault { return nil }
