package awserr

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// explainCode explains an error AWS answered with. Codes are those of the "Common
// Errors" pages of IAM, STS and S3 and of the operations used here.
func explainCode(code, message, action, resource string) explanation {
	if _, ok := retry.DefaultThrottleErrorCodes[code]; ok {
		return because("too many requests to this account at once ("+code+"), also after several tries",
			"wait a minute, then run the same command again: it goes on where it stopped")
	}
	switch code {
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "Forbidden":
		return explainDenied(message, action, resource)
	case "ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired":
		return explanation{what: "the AWS credentials have expired", why: "AWS refused " + on(action, resource), next: nextLogin}
	case "InvalidClientTokenId", "InvalidAccessKeyId", "UnrecognizedClientException", "AuthFailure", "InvalidToken":
		return explanation{
			what: "AWS does not know these credentials", next: nextWhoAmI,
			why: "the access key was deleted, or belongs to another partition, or its session needs a region that is switched off in the account",
		}
	case "SignatureDoesNotMatch", "RequestTimeTooSkewed", "InvalidSignatureException":
		return explainSignature(code, message)
	case "OptInRequired", "RegionDisabledException":
		return because("the region is switched off in this account",
			"aws account enable-region --region-name REGION, or --region with another one")
	case "InternalFailure", "InternalError", "ServiceFailure", "ServiceUnavailable":
		return because("AWS has trouble of its own ("+code+")",
			"wait a minute, then run the same command again: it goes on where it stopped")
	}
	return explainState(code, message, resource)
}

// explainSignature never repeats AWS's message: it holds the signed request.
func explainSignature(code, message string) explanation {
	e := explanation{what: "AWS did not accept the request's signature"}
	m := strings.ToLower(message)
	if code == "RequestTimeTooSkewed" || strings.Contains(m, "signature expired") || strings.Contains(m, "signature not yet current") {
		e.why, e.next = "this machine's clock differs from AWS's by more than some minutes", "set the clock (date -u shows it), then run the same command again"
		return e
	}
	e.why = "the secret key does not belong to the access key, or a proxy changes the requests"
	e.next = "aws configure, or export both keys again; then aws sts get-caller-identity must answer"
	return e
}

// explainState explains answers about the thing itself and not about the caller.
func explainState(code, message, resource string) explanation {
	again := "run the same command again: it goes on where it stopped"
	switch code {
	case "EntityAlreadyExists", "EntityAlreadyExistsException":
		return explanation{what: resource + " exists already", why: "it was made while this command ran, or IAM does not show it to everybody yet", next: again}
	case "ConcurrentModification", "ConcurrentModificationException", "EntityTemporarilyUnmodifiable":
		return because("somebody else was changing it at the same moment", again)
	case "NoSuchEntity", "NoSuchEntityException", "NoSuchBucket", "NotFound":
		return because(tidy(message, "it does not exist"), again)
	case "LimitExceeded", "LimitExceededException":
		return explainLimit(message)
	case "MalformedPolicyDocument", "MalformedPolicyDocumentException":
		return explainPolicy(message)
	case "DeleteConflict", "DeleteConflictException":
		return because(tidy(message, "something is still attached to it"),
			"aws iam list-attached-role-policies and aws iam list-role-policies show what; remove it, then run the same command again: it continues where it stopped")
	case "UnmodifiableEntity", "UnmodifiableEntityException":
		return because("only the AWS service it belongs to may change it", "--role-name NAME for a role of your own")
	case "PermanentRedirect", "MovedPermanently", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException":
		return because(tidy(message, "it is in another region"), "--region with the region it is in")
	}
	return because(tidy(message, "no reason given")+" ("+code+")", again)
}

// explainLimit names the quota. IAM's message ends in its name and value, for
// example "Cannot exceed quota for RolesPerAccount: 1000".
func explainLimit(message string) explanation {
	e := explanation{why: tidy(message, "a quota of the account is used up")}
	switch {
	case strings.Contains(message, "RolesPerAccount"):
		e.next = "remove roles that are no longer used (aws iam list-roles --path-prefix /ostoy-s3/ shows ours), or have the quota \"Roles per account\" raised"
	case strings.Contains(message, "ACLSizePerRole"):
		e.next = "have the quota \"Role trust policy length\" raised: the address of the issuer is long"
	case strings.Contains(message, "PoliciesPerRole"):
		e.next = "detach a policy from the role, or leave --policy-arn away to use an inline policy"
	case strings.Contains(message, "Maximum policy size"):
		e.next = "remove inline policies of others from the role, or --role-name NAME for a role of its own"
	default:
		e.next = "have the quota raised (Service Quotas, AWS Identity and Access Management), then run the same command again"
	}
	return e
}

// explainPolicy tells an unknown principal from a bad document.
func explainPolicy(message string) explanation {
	e := explanation{why: tidy(message, "the policy document is not valid")}
	if strings.Contains(strings.ToLower(message), "invalid principal") {
		e.why = "IAM does not know the identity provider the trust policy names, or not yet: " + e.why
		e.next = "aws iam list-open-id-connect-providers must list it in this account; one made a moment ago needs some seconds"
		return e
	}
	e.next = "check --oidc-issuer, --audience and --partition, then run the same command again"
	return e
}

// explainNetwork recognises that AWS was not reached at all.
func explainNetwork(err error) (explanation, bool) {
	text := err.Error()
	const again = "run the same command again"
	dns, unresolved := errors.AsType[*net.DNSError](err)
	_, broken := errors.AsType[*net.OpError](err)
	limited, slow := errors.AsType[net.Error](err)
	var quiet *Silence
	switch {
	case strings.Contains(text, "Missing Region"), strings.Contains(text, "MissingRegion"),
		strings.Contains(text, "AWS region is required"):
		return explanation{
			kind: problem.Usage, what: "no AWS region is known", why: "neither flag, environment nor profile names one",
			next: "--region REGION, for example us-east-2",
		}, true
	case unresolved:
		return because("the name "+dns.Name+" is not known: the region or AWS_ENDPOINT_URL may be misspelt, or there is no network",
			"check --region and AWS_ENDPOINT_URL, then "+again), true
	case isUntrusted(err):
		return because("the server's certificate is signed by nobody this machine trusts, as behind a proxy that opens TLS",
			"export AWS_CA_BUNDLE=FILE with the certificate of the proxy, then "+again), true
	case errors.Is(err, syscall.ECONNREFUSED):
		return because("nothing listens at the endpoint"+at(err), "check AWS_ENDPOINT_URL and HTTPS_PROXY, then "+again), true
	case errors.As(err, &quiet):
		return because(quiet.Error(), "check the network, then "+again), true
	case errors.Is(err, context.DeadlineExceeded), slow && limited.Timeout():
		return because("no answer in time"+at(err),
			"check the network and HTTPS_PROXY, or give more --timeout, then "+again), true
	case broken, strings.Contains(text, "request send failed"):
		return because("the connection broke"+at(err), "check the network, then "+again), true
	}
	return explanation{}, false
}

func isUntrusted(err error) bool {
	_, signer := errors.AsType[x509.UnknownAuthorityError](err)
	_, host := errors.AsType[x509.HostnameError](err)
	_, invalid := errors.AsType[x509.CertificateInvalidError](err)
	return signer || host || invalid
}

// at names the address a connection went to, where the error knows it.
func at(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Addr != nil {
		return " (" + op.Addr.String() + ")"
	}
	return ""
}

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
		return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(text, word) })
	}
	switch {
	case has("failed to get shared config profile"):
		return explanation{
			kind: problem.Usage, what: "the AWS profile does not exist",
			why: "neither the AWS config file nor the credentials file has it", next: "aws configure list-profiles, then --profile NAME",
		}, true
	case !has("failed to refresh cached credentials", "get credentials:", "get identity:", "nocredentialproviders",
		"refresh cached sso token failed", "failed to retrieve credentials", "sso token"):
		return explanation{}, false
	}
	e := explanation{what: "no usable AWS credentials", next: nextSignIn}
	failed, typed := errors.AsType[*CredentialFailure](err)
	switch {
	case typed && failed.Late > 0:
		e.why = failed.Process + " did not end within " + failed.Late.String()
		e.next = "run the program by hand, and see what it waits for; then run the same command again"
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
