package operator

// SafeConfig is the data of a UserConfig with which every version of the bundle
// starts (FACTS 1.6). The bundle passes each key to a flag as $(KEY), which stays
// as it is, and ends the controller, where a key is missing; one too many does no
// harm. region is for example us-east-2.
func SafeConfig(region string) map[string]string {
	return map[string]string{
		"ACK_ENABLE_DEVELOPMENT_LOGGING":         "false",
		"ACK_LOG_LEVEL":                          "info",
		"ACK_RESOURCE_TAGS":                      "services.k8s.aws/controller-version=%CONTROLLER_SERVICE%-%CONTROLLER_VERSION%,services.k8s.aws/namespace=%K8S_NAMESPACE%",
		"ACK_WATCH_NAMESPACE":                    "",
		"AWS_ENDPOINT_URL":                       "",
		"AWS_REGION":                             region,
		"ENABLE_CARM":                            "true",
		"ENABLE_LEADER_ELECTION":                 "true",
		"FEATURE_GATES":                          "",
		"LEADER_ELECTION_NAMESPACE":              "",
		"RECONCILE_DEFAULT_MAX_CONCURRENT_SYNCS": "1",
	}
}
