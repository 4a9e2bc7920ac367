package operator

import "github.com/oc-ostoy-s3/oc-ostoy-s3/render"

// tokenSeconds is how long a token lives: the webhook's default, a day. Kubelet
// renews it long before.
const tokenSeconds int64 = 86400

// annotations are the webhook's, for the service account (FACTS 2.1). The audience
// is always said: the webhook's default differs between platforms (FACTS 0.3).
func annotations(f render.Facts, o Options) map[string]any {
	return map[string]any{
		"eks.amazonaws.com/role-arn":               o.RoleARN,
		"eks.amazonaws.com/audience":               audience(f),
		"eks.amazonaws.com/sts-regional-endpoints": "true",
	}
}

// identityEnv are the variables by which the SDK takes the role. AWS's global STS
// endpoint is out of reach of private clusters, so the regional one is asked for.
func identityEnv(o Options) []any {
	return []any{
		variable("AWS_ROLE_ARN", o.RoleARN),
		variable("AWS_WEB_IDENTITY_TOKEN_FILE", TokenFile),
		variable("AWS_STS_REGIONAL_ENDPOINTS", "regional"),
	}
}

func variable(name, value string) map[string]any {
	return map[string]any{"name": name, "value": value}
}

// tokenVolumes holds the token as the webhook would project it. The mode is the
// API server's default, said so that nothing has to be filled in.
func tokenVolumes(f render.Facts) []any {
	return []any{map[string]any{
		"name": TokenVolume,
		"projected": map[string]any{
			"defaultMode": int64(0o644),
			"sources": []any{map[string]any{
				"serviceAccountToken": map[string]any{
					"audience":          audience(f),
					"expirationSeconds": tokenSeconds,
					"path":              "token",
				},
			}},
		},
	}}
}

func tokenMounts() []any {
	return []any{map[string]any{"name": TokenVolume, "mountPath": TokenMount, "readOnly": true}}
}
