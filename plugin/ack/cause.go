package ack

import (
	"regexp"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
)

// Cause is why a controller ended, as its own log tells it.
type Cause struct {
	Why  string
	Next string
	// Setting is the key of its configuration that Why is about, or "".
	Setting string
}

// CauseOf finds the cause in the log of a controller that ended. The texts are
// those of FACTS 1.6 and 1.7. False: the log says something else.
func CauseOf(log string) (Cause, bool) { return causeAmong(causes(), withoutFields(log)) }

func causeAmong(all []knownCause, log string) (Cause, bool) {
	for _, known := range all {
		match := known.find.FindStringSubmatch(log)
		if match == nil {
			continue
		}
		cause := known.Cause
		if len(match) > 1 {
			// The rest of the line is for one that may be long or strange.
			cause.Why = strings.ReplaceAll(cause.Why, "%", plain.Line(match[1]))
		}
		return cause, true
	}
	return Cause{}, false
}

type knownCause struct {
	find *regexp.Regexp
	Cause
}

const setKeys = "give it a value in the ConfigMap " + UserConfig + ", an empty one will do"

func causes() []knownCause {
	is := regexp.MustCompile
	return []knownCause{
		{is(`invalid feature gate format: \$\((\w+)\)`), Cause{
			"nothing gives the variable % a value, which its command line names", setKeys, "FEATURE_GATES",
		}},
		{is(`invalid feature gate format: ([^\n"]*)`), Cause{
			"the feature gate % is not of the form Gate=true", "correct FEATURE_GATES", "FEATURE_GATES",
		}},
		{is(`invalid argument "?\\?"?\$\((\w+)\)`), Cause{
			"nothing gives the variable % a value, which its command line names", setKeys, "ENABLE_CARM",
		}},
		{is(`invalid argument "?\\?"?([^"\\\n]*)\\?" for "?\\?"?--enable-carm`), Cause{
			"--enable-carm takes true or false, not %", "correct ENABLE_CARM", "ENABLE_CARM",
		}},
		{is(`invalid resource tag: ([^\n"]*)`), Cause{
			"the resource tag % is no pair of key and value", "write ACK_RESOURCE_TAGS as key=value,key=value, or leave it empty", "ACK_RESOURCE_TAGS",
		}},
		{is(`AWS region is missing`), Cause{
			"nothing tells it a region", "give AWS_REGION a value", "AWS_REGION",
		}},
		{is(`cannot enable feature gate 'IAMRoleSelector'`), Cause{
			"the gate IAMRoleSelector does not go with cross-account management (CARM)", "set ENABLE_CARM=false, or take the gate out of FEATURE_GATES", "ENABLE_CARM",
		}},
		{is(`unsafe endpoint is not allowed`), Cause{
			"AWS_ENDPOINT_URL is not https", "leave AWS_ENDPOINT_URL empty", "AWS_ENDPOINT_URL",
		}},
		{is(`No OpenIDConnect provider found in your account`), Cause{
			"IAM has no identity provider for the cluster's issuer in the account of its role", "make the provider, or give its service account a role of the right account", "",
		}},
		{is(`Incorrect token audience`), Cause{
			"its token is for an audience that the identity provider in IAM does not know", "annotate its service account with eks.amazonaws.com/audience=sts.amazonaws.com", "",
		}},
		{is(`Not authorized to perform sts:AssumeRoleWithWebIdentity`), Cause{
			"its role does not trust it: the trust policy names another issuer, namespace or service account, or the role is gone", "correct the trust policy of the role that its service account names", "",
		}},
		{is(`unable to get caller identity[^\n]*(?:no EC2 IMDS role found|failed to refresh cached credentials, no|static credentials are empty)`), Cause{
			"it has no AWS credentials", "give its service account the annotation eks.amazonaws.com/role-arn, then restart it", "",
		}},
		{is(`unable to (?:determine account info(?:: unable to get caller identity)?|get caller identity)([^\n]*)`), Cause{
			"AWS does not tell it who it is%", "look at the role that its service account names", "",
		}},
		{is(`x509: certificate signed by unknown authority`), Cause{
			"it does not trust the certificate of AWS or of the API server: a proxy, or AWS_CA_BUNDLE", "take AWS_CA_BUNDLE out of its environment, and let a proxy pass AWS through", "AWS_CA_BUNDLE",
		}},
		{is(`no matches for kind "?\\?"?Bucket`), Cause{
			"the cluster does not know its kinds", "install its CustomResourceDefinitions", "",
		}},
		{is(`is forbidden: User "?\\?"?([^"\\ ]+)`), Cause{
			"the cluster does not let its service account % do its work", "look at the roles that its installation binds to that account", "",
		}},
	}
}
