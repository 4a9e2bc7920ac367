package awsconf

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Check finds what the SDK passes over and a server would answer later, if at all, in words
// that do not name the place: half an access key, which it ignores, and values that cannot
// be what they must be. Nil is no *problem.Error here.
func Check(s Source) error {
	for _, check := range []func(Source) *problem.Error{halfKey, regions, endpoints, roles, attempts} {
		if told := check(s); told != nil {
			return told
		}
	}
	return nil
}

// halfKey is about an access key in the environment. A chosen profile is used in its place,
// as the SDK does it.
func halfKey(s Source) *problem.Error {
	set := func(names ...string) string {
		for _, name := range names {
			if s.Getenv(name) != "" {
				return name
			}
		}
		return ""
	}
	id, secret := set("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY"), set("AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY")
	if _, by := s.chosen(); by != "" || (id == "") == (secret == "") {
		return nil
	}
	there, missing := id, "AWS_SECRET_ACCESS_KEY"
	if id == "" {
		there, missing = secret, "AWS_ACCESS_KEY_ID"
	}
	return problem.Input("incomplete access key in the environment: "+missing+" is not set", there+" is set, and both are needed",
		"export "+missing+" as well, or "+advice.Command("unset", there)+", "+again)
}

var regionName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

func regions(s Source) *problem.Error {
	const why = "it must be the name of a region, for example us-east-2"
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		if value := s.Getenv(name); value != "" {
			if !regionName.MatchString(value) {
				return wrongVariable(s, name, why)
			}
			return nil
		}
	}
	profile, _ := s.chosen()
	if value := s.value(profile, "region"); value != "" && !regionName.MatchString(value) {
		return wrongKey(s, profile, "region", why)
	}
	return nil
}

// endpoints are those of the services that are asked, and of the credentials.
func endpoints(s Source) *problem.Error {
	const why = "it must be a URL such as https://aws.example.com"
	if strings.EqualFold(s.Getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), "true") {
		return nil
	}
	for _, service := range []string{"", "_STS", "_IAM", "_S3", "_CLOUDTRAIL", "_SSO", "_SSO_OIDC", "_SIGNIN"} {
		name := "AWS_ENDPOINT_URL" + service
		if value := s.Getenv(name); value != "" && !isEndpoint(value) {
			return wrongVariable(s, name, why)
		}
	}
	profile, _ := s.chosen()
	if value := s.value(profile, "endpoint_url"); value != "" && !isEndpoint(value) {
		return wrongKey(s, profile, "endpoint_url", why)
	}
	return nil
}

func isEndpoint(value string) bool {
	parsed, err := url.Parse(value)
	return err == nil && (parsed.Scheme == "http" || parsed.Scheme == "https") && parsed.Hostname() != ""
}

// roles are those that are assumed.
func roles(s Source) *problem.Error {
	const why = "it must be the ARN of an IAM role, for example arn:aws:iam::123456789012:role/NAME"
	if s.Getenv("AWS_WEB_IDENTITY_TOKEN_FILE") != "" && s.Profile == "" && s.Getenv("AWS_ACCESS_KEY_ID") == "" {
		if value := s.Getenv("AWS_ROLE_ARN"); value != "" && !isRole(value) {
			return wrongVariable(s, "AWS_ROLE_ARN", why)
		}
		return nil
	}
	if s.Profile == "" && s.Getenv("AWS_ACCESS_KEY_ID") != "" {
		return nil // the profile gives no credentials
	}
	profile, _ := s.chosen()
	profiles, _ := s.chain(profile)
	for _, one := range profiles {
		if value := s.value(one, "role_arn"); value != "" && !isRole(value) {
			return wrongKey(s, one, "role_arn", why)
		}
	}
	return nil
}

func isRole(value string) bool {
	_, err := render.ParseARNOf(value, "iam", "role")
	return err == nil
}

// attempts are at least one: the SDK would repeat a request without end.
func attempts(s Source) *problem.Error {
	const name, key = "AWS_MAX_ATTEMPTS", "max_attempts"
	if value := s.Getenv(name); value != "" {
		if n, err := strconv.Atoi(value); err == nil && n < 1 {
			return wrongVariable(s, name, "it must be at least 1")
		}
		return nil
	}
	profile, _ := s.chosen()
	if n, err := strconv.Atoi(s.value(profile, key)); err == nil && n < 1 {
		return wrongKey(s, profile, key, "it must be at least 1")
	}
	return nil
}
