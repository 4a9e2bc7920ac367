package awsclient

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

const aRole = "arn:aws:iam::123456789012:role/x"

// flawed is a configuration with a fault, and what the error must say.
type flawed struct {
	config, credentials string
	env                 map[string]string
	profile             string // --profile
	set                 func(t *testing.T, folder string)
	says                []string
}

// TestConfiguration: every error of the SDK's loader, and of the credentials that it leads
// to without asking anybody, is one of the input, and names the place and the cure.
func TestConfiguration(t *testing.T) {
	for name, c := range inEnvironment() {
		t.Run("environment: "+name, c.test)
	}
	for name, c := range inProfiles() {
		t.Run("profile: "+name, c.test)
	}
	for name, c := range ofRoles() {
		t.Run("role: "+name, c.test)
	}
	for name, c := range ofSessions() {
		t.Run("session: "+name, c.test)
	}
	for name, c := range ofFiles() {
		t.Run("file: "+name, c.test)
	}
}

func (c flawed) test(t *testing.T) {
	folder := configured(t, c.config)
	if c.credentials != "" {
		if err := os.WriteFile(filepath.Join(folder, "credentials"), []byte(c.credentials), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range c.env {
		t.Setenv(name, strings.ReplaceAll(value, "FOLDER", folder))
	}
	if c.set != nil {
		c.set(t, folder)
	}
	err := loadAndAsk(t, c.profile)
	for n, part := range c.says {
		c.says[n] = strings.ReplaceAll(part, "FOLDER", folder)
	}
	wantProblem(t, err, problem.Usage, append(c.says, "run the same command again")...)
	if told, ok := errors.AsType[*problem.Error](err); ok && (told.Next == "" || strings.Contains(told.What+told.Why, "operation error")) {
		t.Errorf("%+v", told)
	}
}

// loadAndAsk is what each command does; nothing answers.
func loadAndAsk(t *testing.T, profile string) error {
	t.Helper()
	config, err := Load(t.Context(), Options{Profile: profile, Limits: limits(nil)})
	if err == nil {
		_, err = sts.NewFromConfig(config).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	}
	return awserr.Translate(err, "sts:GetCallerIdentity", "")
}

func env(pairs ...string) map[string]string {
	all := map[string]string{}
	for n := 0; n < len(pairs); n += 2 {
		all[pairs[n]] = pairs[n+1]
	}
	return all
}

func inEnvironment() map[string]flawed {
	all := map[string]flawed{
		"no secret key":   {env: env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEKEY123456"), says: []string{"AWS_SECRET_ACCESS_KEY is not set", "unset AWS_ACCESS_KEY_ID"}},
		"no key id":       {env: env("AWS_SECRET_ACCESS_KEY", "hunter2"), says: []string{"AWS_ACCESS_KEY_ID is not set", "unset AWS_SECRET_ACCESS_KEY"}},
		"no secret, old":  {env: env("AWS_ACCESS_KEY", "AKIAEXAMPLEKEY123456"), says: []string{"AWS_SECRET_ACCESS_KEY is not set", "unset AWS_ACCESS_KEY"}},
		"no attempts":     {env: env("AWS_MAX_ATTEMPTS", "0"), says: []string{`invalid AWS_MAX_ATTEMPTS "0"`, "at least 1"}},
		"attempts, minus": {env: env("AWS_MAX_ATTEMPTS", "-1"), says: []string{`invalid AWS_MAX_ATTEMPTS "-1"`, "at least 1"}},
		"container":       {env: env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/x"), says: []string{"invalid AWS_CONTAINER_CREDENTIALS_FULL_URI"}},
		"container, host": {env: env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.1/x"), says: []string{"invalid AWS_CONTAINER_CREDENTIALS_FULL_URI", "only this machine"}},
		"container, URL":  {env: env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http:///x"), says: []string{"invalid AWS_CONTAINER_CREDENTIALS_FULL_URI", "not a URL"}},
		"container, bad":  {env: env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://a b"), says: []string{"invalid AWS_CONTAINER_CREDENTIALS_FULL_URI", "not a URL"}},
		"container token": {
			env:  env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/x", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "FOLDER/none"),
			says: []string{"invalid AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "no such file"},
		},
		"token file": {
			env:  env("AWS_WEB_IDENTITY_TOKEN_FILE", "FOLDER/none", "AWS_ROLE_ARN", aRole),
			says: []string{`cannot read the web identity token "FOLDER/none"`, "AWS_WEB_IDENTITY_TOKEN_FILE names it: no such file", "unset AWS_WEB_IDENTITY_TOKEN_FILE AWS_ROLE_ARN"},
		},
		"token file, ~": {
			env:  env("AWS_WEB_IDENTITY_TOKEN_FILE", "~/token", "AWS_ROLE_ARN", aRole),
			says: []string{`"~/token"`, "~ is not replaced by the home directory"},
		},
		"token, no role":     {env: env("AWS_WEB_IDENTITY_TOKEN_FILE", "FOLDER/none"), says: []string{"missing AWS_ROLE_ARN"}},
		"token, no such ARN": {env: env("AWS_WEB_IDENTITY_TOKEN_FILE", "FOLDER/none", "AWS_ROLE_ARN", "admin"), says: []string{`invalid AWS_ROLE_ARN "admin"`}},
		"profile":            {env: env("AWS_PROFILE", "nobody"), config: "[profile dev]\nregion = us-east-2\n", says: []string{`the AWS profile "nobody" does not exist (AWS_PROFILE)`, "FOLDER/config (AWS_CONFIG_FILE) does not have it", "the profiles are: dev"}},
		"default profile":    {env: env("AWS_DEFAULT_PROFILE", "nobody"), says: []string{`the AWS profile "nobody" does not exist (AWS_DEFAULT_PROFILE)`, "aws configure --profile nobody"}},
	}
	for variable, c := range map[string]struct{ value, says string }{
		"AWS_RETRY_MODE":                           {"fast", "standard or adaptive"},
		"AWS_MAX_ATTEMPTS":                         {"ten", "a whole number"},
		"AWS_DEFAULTS_MODE":                        {"quick", "legacy, standard, in-region"},
		"AWS_ENABLE_ENDPOINT_DISCOVERY":            {"maybe", "true, false or auto"},
		"AWS_S3_USE_ARN_REGION":                    {"maybe", "true or false"},
		"AWS_S3_DISABLE_MULTIREGION_ACCESS_POINTS": {"maybe", "true or false"},
		"AWS_S3_DISABLE_EXPRESS_SESSION_AUTH":      {"maybe", "true or false"},
		"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE":   {"IPv5", "IPv4 or IPv6"},
		"AWS_EC2_METADATA_V1_DISABLED":             {"maybe", "true or false"},
		"AWS_USE_DUALSTACK_ENDPOINT":               {"maybe", "true or false"},
		"AWS_USE_FIPS_ENDPOINT":                    {"maybe", "true or false"},
		"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS":      {"maybe", "true or false"},
		"AWS_DISABLE_REQUEST_COMPRESSION":          {"maybe", "true or false"},
		"AWS_DISABLE_CLOCK_SKEW_CORRECTION":        {"maybe", "true or false"},
		"AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES":   {"many", "a whole number from 0 to 10485760"},
		"AWS_ACCOUNT_ID_ENDPOINT_MODE":             {"maybe", "preferred or required or disabled"},
		"AWS_REQUEST_CHECKSUM_CALCULATION":         {"maybe", "when_supported or when_required"},
		"AWS_RESPONSE_CHECKSUM_VALIDATION":         {"maybe", "when_supported or when_required"},
		"AWS_RESTRICT_FILE_PERMISSIONS":            {"maybe", "user_read_write or unrestricted"},
		"AWS_REGION":                               {"us east", "the name of a region"},
		"AWS_ENDPOINT_URL":                         {"aws.example.com", "a URL such as"},
		"AWS_ENDPOINT_URL_S3":                      {"ftp", "a URL such as"},
	} {
		all[variable] = flawed{env: env(variable, c.value), says: []string{"invalid " + variable + ` "` + c.value + `"`, "it must be " + c.says, "unset " + variable}}
	}
	all["compression, range"] = flawed{env: env("AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES", "-1"), says: []string{`invalid AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES "-1"`, "from 0 to 10485760"}}
	return all
}

func inProfiles() map[string]flawed {
	all := map[string]flawed{
		"absent":            {profile: "nobody", says: []string{`the AWS profile "nobody" does not exist (--profile)`, "(AWS_CONFIG_FILE)", "(AWS_SHARED_CREDENTIALS_FILE) cannot be read: no such file", "aws configure --profile nobody"}},
		"no prefix":         {profile: "dev", config: "[dev]\nregion = us-east-2\n", says: []string{"[dev] of FOLDER/config must be [profile dev]"}},
		"prefix":            {profile: "dev", credentials: "[profile dev]\naws_access_key_id = a\naws_secret_access_key = b\n", says: []string{"[profile dev] of FOLDER/credentials must be [dev]"}},
		"broken head":       {profile: "dev", config: "[profile dev\nregion = us-east-2\n", says: []string{"line 1 of FOLDER/config, [profile dev, is not the head of a section"}},
		"no secret key":     {profile: "dev", credentials: "[dev]\naws_access_key_id = a\n", says: []string{"incomplete access key in [dev] of FOLDER/credentials", "aws_secret_access_key is not", "add aws_secret_access_key"}},
		"no key id":         {config: "[default]\naws_secret_access_key = hunter2\n", says: []string{"incomplete access key in [default] of FOLDER/config", "add aws_access_key_id"}},
		"no credentials":    {profile: "dev", config: "[profile dev]\nregion = us-east-2\n", says: []string{`the AWS profile "dev" has no credentials (--profile)`, "[profile dev] of FOLDER/config", "aws configure --profile dev"}},
		"two sources":       {profile: "dev", config: "[profile dev]\nrole_arn = " + aRole + "\nsource_profile = x\ncredential_process = y\n[profile x]\naws_access_key_id = a\naws_secret_access_key = b\n", says: []string{"contradictory source_profile and credential_process in [profile dev] of FOLDER/config"}},
		"region":            {config: "[default]\nregion = us east\n", env: env("AWS_REGION", ""), says: []string{`invalid region "us east" in [default] of FOLDER/config, line 2`}},
		"endpoint":          {config: "[default]\nendpoint_url = aws.example.com\n", says: []string{`invalid endpoint_url "aws.example.com" in [default] of FOLDER/config, line 2`}},
		"attempts":          {config: "[default]\nmax_attempts = 0\n", says: []string{`invalid max_attempts "0" in [default]`, "at least 1"}},
		"compression range": {config: "[default]\nrequest_min_compression_size_bytes = -1\n", says: []string{"invalid request_min_compression_size_bytes", "from 0 to 10485760"}},
	}
	for key, c := range map[string]struct{ value, says string }{
		"retry_mode": {"fast", "standard or adaptive"}, "max_attempts": {"ten", "a whole number"}, "defaults_mode": {"quick", "legacy, standard"},
		"ec2_metadata_service_endpoint_mode": {"IPv5", "IPv4 or IPv6"}, "disable_request_compression": {"maybe", "true or false"}, "disable_clock_skew_correction": {"maybe", "true or false"},
		"request_min_compression_size_bytes": {"many", "a whole number from 0 to 10485760"}, "account_id_endpoint_mode": {"maybe", "preferred or required or disabled"},
		"request_checksum_calculation": {"maybe", "when_supported or when_required"}, "response_checksum_validation": {"maybe", "when_supported or when_required"},
	} {
		all[key] = flawed{
			profile: "dev", config: "# a comment\n[profile dev]\n" + key + " = " + c.value + "\n",
			says: []string{"invalid " + key + ` "` + c.value + `" in [profile dev] of FOLDER/config, line 3`, "it must be " + c.says, "correct " + key},
		}
	}
	return all
}

func ofRoles() map[string]flawed {
	const keys = "[profile keys]\naws_access_key_id = a\naws_secret_access_key = b\n"
	dev := func(lines string) string { return "[profile dev]\nrole_arn = " + aRole + "\n" + lines }
	return map[string]flawed{
		"MFA": {profile: "dev", config: dev("source_profile = keys\nmfa_serial = arn:aws:iam::123456789012:mfa/me\n") + keys, says: []string{
			`the AWS profile "dev" requires an MFA code`, "mfa_serial is set in [profile dev] of FOLDER/config, line 4",
			"aws configure export-credentials --profile dev --format env", "aws sts get-session-token --serial-number arn:aws:iam::123456789012:mfa/me --token-code CODE --profile keys",
		}},
		"MFA of the source": {profile: "top", config: "[profile top]\nrole_arn = " + aRole + "\nsource_profile = dev\n" + dev("source_profile = keys\nmfa_serial = arn:aws:iam::123456789012:mfa/me\n") + keys, says: []string{"mfa_serial is set in [profile dev]"}},
		"no source":         {profile: "dev", config: dev("source_profile = nobody\n"), says: []string{`invalid source_profile "nobody" in [profile dev] of FOLDER/config, line 3`, "does not exist", "aws configure list-profiles"}},
		"source no prefix":  {profile: "dev", config: dev("source_profile = base\n") + "[base]\naws_access_key_id = a\naws_secret_access_key = b\n", says: []string{`invalid source_profile "base"`, "[base] of FOLDER/config must be [profile base]"}},
		"source, no keys":   {profile: "dev", config: dev("source_profile = base\n") + "[profile base]\nregion = us-east-2\n", says: []string{`invalid source_profile "base" in [profile dev]`, "[profile base] of FOLDER/config has no credentials", "aws configure --profile base"}},
		"circle":            {profile: "dev", config: dev("source_profile = b\n") + "[profile b]\nrole_arn = " + aRole + "\nsource_profile = dev\n", says: []string{"source_profile leads in a circle in [profile b] of FOLDER/config, line 6", "dev → b → dev"}},
		"circle of one":     {profile: "dev", config: dev("source_profile = dev\n"), says: []string{"source_profile leads in a circle in [profile dev]", "dev → dev"}},
		"no ARN":            {profile: "dev", config: "[profile dev]\nsource_profile = keys\n" + keys, says: []string{"missing role_arn in [profile dev] of FOLDER/config, line 2", "add role_arn"}},
		"no ARN, token":     {profile: "dev", config: "[profile dev]\nweb_identity_token_file = x\n", says: []string{"missing role_arn in [profile dev]", "web_identity_token_file"}},
		"no such ARN":       {profile: "dev", config: "[profile dev]\nrole_arn = admin\nsource_profile = keys\n" + keys, says: []string{`invalid role_arn "admin" in [profile dev] of FOLDER/config, line 2`, "arn:aws:iam::123456789012:role/NAME"}},
		"token file":        {profile: "dev", config: dev("web_identity_token_file = /nowhere/token\n"), says: []string{`cannot read the web identity token "/nowhere/token"`, "web_identity_token_file in [profile dev] of FOLDER/config, line 3"}},
		"source of keys":    {profile: "dev", config: dev("credential_source = Moon\n"), says: []string{`invalid credential_source "Moon" in [profile dev] of FOLDER/config, line 3`, "Environment, Ec2InstanceMetadata or EcsContainer"}},
		"no container":      {profile: "dev", config: dev("credential_source = EcsContainer\n"), says: []string{"credential_source EcsContainer cannot be used in [profile dev]", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"}},
		"no environment":    {profile: "dev", config: dev("credential_source = Environment\n"), says: []string{"credential_source Environment has no credentials in [profile dev]", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set"}},
	}
}

func ofSessions() map[string]flawed {
	const sso = "[profile dev]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = x\n"
	const section = "[sso-session s]\nsso_region = us-east-2\nsso_start_url = https://example.awsapps.com/start\n"
	const login = "aws sso login --profile dev"
	program := func(script string) func(*testing.T, string) {
		return func(t *testing.T, folder string) {
			command, _ := program(t, script)
			if err := os.WriteFile(filepath.Join(folder, "config"), []byte("[profile dev]\ncredential_process = "+command+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	const place = "the credential_process in [profile dev] of FOLDER/config, line 2"
	return map[string]flawed{
		"no section":    {profile: "dev", config: sso, says: []string{`invalid sso_session "s" in [profile dev] of FOLDER/config, line 2`, "[sso-session s] does not exist", "aws configure sso-session"}},
		"no region":     {profile: "dev", config: sso + "[sso-session s]\nsso_start_url = https://example.awsapps.com/start\n", says: []string{"incomplete single sign-on in [sso-session s] of FOLDER/config", "sso_region"}},
		"older, partly": {profile: "dev", config: "[profile dev]\nsso_region = us-east-2\nsso_start_url = https://example.awsapps.com/start\n", says: []string{"incomplete single sign-on in [profile dev]", "sso_account_id, sso_role_name"}},
		"other region":  {profile: "dev", config: sso + "sso_region = eu-west-1\n" + section, says: []string{`invalid sso_region "eu-west-1" in [profile dev]`, "[sso-session s] has another one"}},
		"other URL":     {profile: "dev", config: sso + "sso_start_url = https://x.example.com\n" + section, says: []string{"invalid sso_start_url in [profile dev]"}},
		"never begun":   {profile: "dev", config: sso + section, says: []string{"not logged in to AWS single sign-on (profile dev)", login}},
		"older, never":  {profile: "dev", config: "[profile dev]\nsso_region = us-east-2\nsso_start_url = https://example.awsapps.com/start\nsso_account_id = 123456789012\nsso_role_name = x\n", says: []string{"not logged in to AWS single sign-on", login}},
		"expired":       {profile: "dev", config: sso + section, set: func(t *testing.T, home string) { cached(t, home, "s", "2020-01-01T00:00:00Z") }, says: []string{"single sign-on session has expired (profile dev)", login}},
		"damaged":       {profile: "dev", config: sso + section, set: func(t *testing.T, home string) { cached(t, home, "s", "soon") }, says: []string{"single sign-on session of profile dev cannot be read", login}},
		"console":       {profile: "dev", config: "[profile dev]\nlogin_session = arn:aws:iam::123456789012:user/me\n", says: []string{"not logged in to AWS (profile dev)", "aws login --profile dev"}},

		"program fails":      {profile: "dev", set: program("exit 3"), says: []string{place + " failed", "exit status 3", "run the program by hand"}},
		"no program":         {profile: "dev", config: "[profile dev]\ncredential_process = /nowhere/program\n", says: []string{place + " failed", "exit status 127: the program does not exist"}},
		"rubbish":            {profile: "dev", set: program("echo hunter2"), says: []string{place + " wrote something else", "not JSON"}},
		"nothing":            {profile: "dev", set: program(":"), says: []string{place + " wrote something else"}},
		"another version":    {profile: "dev", set: program(`echo '{"Version":2,"AccessKeyId":"a","SecretAccessKey":"hunter2"}'`), says: []string{"another version", "Version in its output must be 1"}},
		"without id":         {profile: "dev", set: program(`echo '{"Version":1,"SecretAccessKey":"hunter2"}'`), says: []string{"incomplete credentials", "AccessKeyId is missing"}},
		"without secret key": {profile: "dev", set: program(`echo '{"Version":1,"AccessKeyId":"a"}'`), says: []string{"incomplete credentials", "SecretAccessKey is missing"}},
	}
}

func ofFiles() map[string]flawed {
	file := func(name, text string) func(*testing.T, string) {
		return func(t *testing.T, folder string) {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return map[string]flawed{
		"config is a folder":  {env: env("AWS_CONFIG_FILE", "FOLDER"), says: []string{"cannot read the AWS configuration file FOLDER", "is a directory", "unset AWS_CONFIG_FILE"}},
		"keys are a folder":   {env: env("AWS_SHARED_CREDENTIALS_FILE", "FOLDER"), says: []string{"cannot read the AWS configuration file FOLDER", "unset AWS_SHARED_CREDENTIALS_FILE"}},
		"config is something": {config: "{\"region\": \"us-east-2\"}\n", says: []string{"invalid AWS configuration file FOLDER/config", "it has no section"}},
		"head of default":     {config: "[default\naws_access_key_id = a\n", says: []string{"invalid AWS configuration file FOLDER/config", "line 1 of FOLDER/config, [default, is not the head of a section"}},
		"CA bundle":           {env: env("AWS_CA_BUNDLE", "/nowhere/ca.pem"), says: []string{`cannot read the CA bundle "/nowhere/ca.pem"`, "AWS_CA_BUNDLE names it: no such file", "unset AWS_CA_BUNDLE"}},
		"CA bundle, ~":        {env: env("AWS_CA_BUNDLE", "~/ca.pem"), says: []string{`"~/ca.pem"`, "~ is not replaced by the home directory"}},
		"CA bundle, folder":   {env: env("AWS_CA_BUNDLE", "FOLDER"), says: []string{"cannot read the CA bundle", "is a directory"}},
		"CA bundle, no PEM":   {env: env("AWS_CA_BUNDLE", "FOLDER/ca.pem"), set: file("ca.pem", "no certificate"), says: []string{`no certificate in the CA bundle "FOLDER/ca.pem"`, "AWS_CA_BUNDLE"}},
		"bundle of a profile": {config: "[default]\nca_bundle = ~/ca.pem\n", says: []string{`cannot read the CA bundle "~/ca.pem"`, "ca_bundle in [default] of FOLDER/config, line 2"}},
	}
}

// TestNoConfiguration: what is not about the configuration is no error of the input: no
// credentials anywhere, a server that refuses, half a key that a chosen profile replaces.
func TestNoConfiguration(t *testing.T) {
	t.Run("none", func(t *testing.T) {
		configured(t, "")
		wantProblem(t, loadAndAsk(t, ""), problem.Failed, "no usable AWS credentials", "aws configure")
	})
	t.Run("half a key", func(t *testing.T) {
		configured(t, "[profile dev]\naws_access_key_id = a\naws_secret_access_key = b\n")
		t.Setenv("AWS_ACCESS_KEY_ID", "a")
		if _, err := Load(t.Context(), Options{Profile: "dev"}); err != nil {
			t.Error(err)
		}
	})
	t.Run("AWS is not reached", func(t *testing.T) {
		noAWS(t)
		t.Setenv("AWS_ENDPOINT_URL", "http://"+closed(t))
		wantProblem(t, loadAndAsk(t, ""), problem.Failed, "cannot reach AWS")
	})
	t.Run("a profile of its own keys", func(t *testing.T) {
		configured(t, "[profile dev]\nrole_arn = "+aRole+"\nsource_profile = dev\naws_access_key_id = a\naws_secret_access_key = b\n")
		if _, err := Load(t.Context(), Options{Profile: "dev"}); err != nil {
			t.Error(err)
		}
	})
}
