package awserr

import "strings"

// The AWS CLI words for what a user can do about credentials.
const (
	nextWhoAmI = "aws sts get-caller-identity shows who AWS takes you for; then run the same command again"
	nextLogin  = "aws sso login (with --profile NAME if you use one), or renew the credentials the way you got them; then run the same command again"
	nextSignIn = "aws login, aws sso login or aws configure; then aws sts get-caller-identity must answer"
)

// explainCredentials recognises a failure that came before any request: the SDK
// found no credentials, or could not renew them. The SDK gives no types for
// most of these, so its wording is read (config and credentials modules); the
// inner error may be an API error of another call, which is why this is asked
// before the codes.
func explainCredentials(err error) (explanation, bool) {
	text := strings.ToLower(err.Error())
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(text, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("failed to get shared config profile"):
		return explanation{
			kind: usage, what: "the AWS profile does not exist",
			why:  "neither the AWS config file nor the credentials file has it",
			next: "aws configure list-profiles, then --profile NAME",
		}, true
	case !has("failed to refresh cached credentials", "get credentials:", "get identity:", "nocredentialproviders",
		"refresh cached sso token failed", "failed to retrieve credentials"):
		return explanation{}, false
	}
	e := explanation{what: "no usable AWS credentials", next: nextSignIn}
	switch {
	case has("sso session has expired", "sso token", "sso oidc", "sso/cache"):
		e.why, e.next = "the single sign-on session has expired or was never begun", nextLogin
	case has("mfa", "tokenprovider is not set"):
		e.why = "the profile wants an MFA code, which is not asked for here"
		e.next = `eval "$(aws configure export-credentials --format env)", then run the same command again`
	case has("createoauth2token", "login token", "aws login", "signin"):
		e.why, e.next = "the console sign-in session has expired or was never begun", "aws login; then run the same command again"
	case has("process"):
		e.why = "the profile's credential_process failed"
	case has("assumerole"):
		e.why, e.next = "the profile's role could not be assumed", nextWhoAmI
	case has("static credentials are empty", "partial credentials"):
		e.why = "the access key or the secret key is missing"
	case has("expiredtoken", "security token included in the request is expired"):
		e.why, e.next = "the credentials have expired", nextLogin
	default:
		e.why = "neither the environment, nor the AWS config files, nor this machine has any"
	}
	return e, true
}
