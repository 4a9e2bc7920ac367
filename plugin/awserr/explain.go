package awserr

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// explainCode explains an error AWS answered with. Codes are those of the "Common
// Errors" pages of IAM, STS and S3 and of the operations used here.
func explainCode(code, message, action, resource string) explanation {
	if _, ok := retry.DefaultThrottleErrorCodes[code]; ok {
		return explanation{
			why:  "too many requests to this account at once (" + code + "), also after several tries",
			next: "wait a minute, then run the same command again: it goes on where it stopped",
		}
	}
	switch code {
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "Forbidden":
		return explainDenied(message, action, resource)
	case "ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired":
		return explanation{what: "the AWS credentials have expired", why: "AWS refused " + on(action, resource), next: nextLogin}
	case "InvalidClientTokenId", "InvalidAccessKeyId", "UnrecognizedClientException", "AuthFailure", "InvalidToken":
		return explanation{
			what: "AWS does not know these credentials",
			why:  "the access key was deleted, or belongs to another partition, or its session needs a region that is switched off in the account",
			next: nextWhoAmI,
		}
	case "SignatureDoesNotMatch", "RequestTimeTooSkewed", "InvalidSignatureException":
		return explainSignature(code, message)
	case "OptInRequired", "RegionDisabledException":
		return explanation{
			why:  "the region is switched off in this account",
			next: "aws account enable-region --region-name REGION, or --region with another one",
		}
	case "InternalFailure", "InternalError", "ServiceFailure", "ServiceUnavailable":
		return explanation{
			why:  "AWS has trouble of its own (" + code + ")",
			next: "wait a minute, then run the same command again: it goes on where it stopped",
		}
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
		return explanation{
			what: resource + " exists already", why: "it was made while this command ran, or IAM does not show it to everybody yet",
			next: again,
		}
	case "ConcurrentModification", "ConcurrentModificationException", "EntityTemporarilyUnmodifiable":
		return explanation{why: "somebody else was changing it at the same moment", next: again}
	case "NoSuchEntity", "NoSuchEntityException", "NoSuchBucket", "NotFound":
		return explanation{why: tidy(message, "it does not exist"), next: again}
	case "LimitExceeded", "LimitExceededException":
		return explainLimit(message)
	case "MalformedPolicyDocument", "MalformedPolicyDocumentException":
		return explainPolicy(message)
	case "DeleteConflict", "DeleteConflictException":
		return explanation{
			why:  tidy(message, "something is still attached to it"),
			next: "aws iam list-attached-role-policies and aws iam list-role-policies show what; remove it, then run the same command again: it continues where it stopped",
		}
	case "UnmodifiableEntity", "UnmodifiableEntityException":
		return explanation{why: "only the AWS service it belongs to may change it", next: "--role-name NAME for a role of your own"}
	case "PermanentRedirect", "MovedPermanently", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException":
		return explanation{why: tidy(message, "it is in another region"), next: "--region with the region it is in"}
	}
	return explanation{why: tidy(message, "no reason given") + " (" + code + ")", next: again}
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
