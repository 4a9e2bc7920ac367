package awsconf

import (
	"errors"
	"io/fs"
	"regexp"
	"strings"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// role is about one that is assumed with a code, or by nothing.
func role(err error, text string, s Source) *problem.Error {
	switch {
	case errors.As(err, new(awsconfig.AssumeRoleTokenProviderNotSetError)), strings.Contains(text, "assume role with mfa enabled"):
		return codeWanted(s)
	case strings.Contains(text, "role arn is not set"):
		return problem.Input("missing AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE is set, and no role is named",
			"export AWS_ROLE_ARN=ARN with the role, or "+advice.Command("unset AWS_WEB_IDENTITY_TOKEN_FILE")+", "+again)
	case strings.Contains(text, "ecscontainer was specified"):
		profile := s.having("credential_source")
		return problem.Input("credential_source EcsContainer cannot be used in "+s.in(profile, "credential_source"),
			"neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set: this is not a container of Amazon ECS",
			"choose another profile with --profile, "+again)
	case strings.Contains(text, "credential_source values must be"):
		return wrongKey(s, s.having("credential_source"), "credential_source", "it must be Environment, Ec2InstanceMetadata or EcsContainer")
	case strings.Contains(text, "static credentials are empty") && s.value(s.having("credential_source"), "credential_source") == "Environment":
		return problem.Input("credential_source Environment has no credentials in "+s.in(s.having("credential_source"), "credential_source"),
			"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set", "export both, "+again)
	}
	return nil
}

// codeWanted is about a profile with MFA: this tool does not ask for a code.
func codeWanted(s Source) *problem.Error {
	name := s.having("mfa_serial")
	base := s.value(name, "source_profile")
	begin := []string{"--serial-number", s.value(name, "mfa_serial"), "--token-code", "CODE"}
	if base != "" && base != name {
		begin = append(begin, "--profile", base)
	}
	return problem.Input("the AWS profile "+quoted(name)+" requires an MFA code, which is not asked for here",
		"mfa_serial is set in "+s.in(name, "mfa_serial"),
		"begin a session, export the variables that it prints, and run the same command again without --profile:\n"+
			advice.Command("aws configure export-credentials", "--profile", name, "--format", "env")+"\n"+
			"or, for a session of the user without the role:\n"+
			advice.Command("aws sts get-session-token", begin...))
}

var tokenFile = regexp.MustCompile(`unable to read file at (.+): open|unable to read file at (.+): `)

// token is about the file of a web identity token, which is missing.
func token(err error, text string, s Source) *problem.Error {
	if !strings.Contains(text, "failed to retrieve jwt") {
		return nil
	}
	file := ""
	if m := tokenFile.FindStringSubmatch(err.Error()); m != nil {
		file = m[1] + m[2]
	}
	where, next := "AWS_WEB_IDENTITY_TOKEN_FILE", "correct AWS_WEB_IDENTITY_TOKEN_FILE, or "+advice.Command("unset AWS_WEB_IDENTITY_TOKEN_FILE AWS_ROLE_ARN")
	if profile := s.having("web_identity_token_file"); s.value(profile, "web_identity_token_file") == file {
		where, next = "web_identity_token_file in "+s.in(profile, "web_identity_token_file"), "correct web_identity_token_file there"
	}
	return problem.Input("cannot read the web identity token "+quoted(file), where+" names it: "+s.unreadable(file), next+", "+again)
}

// unreadable is why a file cannot be read, with what a person may have meant.
func (s Source) unreadable(file string) string {
	if strings.HasPrefix(file, "~") {
		return "~ is not replaced by the home directory; write the whole path"
	}
	if _, err := s.Read(file); err != nil {
		return reason(err)
	}
	return "it cannot be used"
}

// session is about single sign-on and console sign-in: what is written of them, and the
// login, as far as it is kept on this machine.
func session(err error, text string, s Source) *problem.Error {
	has := func(words string) bool { return strings.Contains(text, words) }
	profile := s.having("sso_session", "sso_start_url", "login_session")
	login := advice.Command("aws sso login", "--profile", profile) + ", " + again
	switch {
	case has("failed to find sso session section"):
		name := s.value(profile, "sso_session")
		return problem.Input("invalid sso_session "+quoted(name)+" in "+s.in(profile, "sso_session"),
			"the section [sso-session "+plain.InLine(name)+"] does not exist"+s.misread(name),
			advice.Command("aws configure sso-session")+" creates it, or correct sso_session; "+again)
	case has("is configured to use sso but is missing"):
		_, missing, _ := strings.Cut(err.Error(), "missing required configuration: ")
		where := s.in(profile)
		if found := s.find("sso-session", s.value(profile, "sso_session")); len(found) > 0 {
			where = found[0].in
		}
		return problem.Input("incomplete single sign-on in "+where, plain.InLine(missing)+" must be set, and is not",
			advice.Command("aws configure sso", "--profile", profile)+" writes them; "+again)
	case has("must match sso_region"), has("must match sso_start_url"):
		key := "sso_region"
		if has("must match sso_start_url") {
			key = "sso_start_url"
		}
		return wrongKey(s, profile, key, "[sso-session "+plain.InLine(s.value(profile, "sso_session"))+"] has another one")
	case has("failed to read cached sso token file"), has("sso session has expired or is invalid") && has("no such file"):
		return problem.Input("not logged in to AWS single sign-on (profile "+plain.InLine(profile)+")", "no session is kept on this machine for "+s.in(profile), login)
	case has("failed to parse cached sso token file"), has("cached sso token file must contain"):
		return problem.Input("the AWS single sign-on session of profile "+plain.InLine(profile)+" cannot be read", "its file below "+plain.InLine(s.Home)+"/.aws/sso/cache is damaged", login)
	case has("cached sso token is expired"), has("sso session has expired or is invalid") && !has("https response error"):
		return problem.Input("the AWS single sign-on session has expired (profile "+plain.InLine(profile)+")", "the session that is kept on this machine for "+s.in(profile)+" has ended", login)
	case has("token file not found, please reauthenticate"), has("load login token"), has("validate login token"):
		return problem.Input("not logged in to AWS (profile "+plain.InLine(profile)+")", "no usable session is kept on this machine for "+s.in(profile, "login_session"),
			advice.Command("aws login", "--profile", profile)+", "+again)
	}
	return nil
}

var ended = regexp.MustCompile(`(exit status \d+|signal: [a-z ]+|executable file not found|no such file or directory|permission denied)`)

// process is about the program of a profile: how it ended, or what it wrote, of which
// nothing is repeated, because credentials may be in it.
func process(err error, text string, s Source) *problem.Error {
	has := func(words string) bool { return strings.Contains(text, words) }
	profile := s.having("credential_process")
	what := "the credential_process in " + s.in(profile, "credential_process")
	next := "run the program by hand: it must print JSON with Version, AccessKeyId and SecretAccessKey; " + again
	fail := func(headline, why string) *problem.Error { return problem.Input(what+" "+headline, why, next) }
	switch {
	case has("parse failed of process output"):
		return fail("wrote something else than credentials", "what it wrote is not JSON (it is not shown here)")
	case has("wrong version in process output"):
		return fail("wrote credentials of another version", "Version in its output must be 1")
	case has("missing accesskeyid in process output"):
		return fail("wrote incomplete credentials", "AccessKeyId is missing in its output")
	case has("missing secretaccesskey in process output"):
		return fail("wrote incomplete credentials", "SecretAccessKey is missing in its output")
	case has("failed to prepare command"):
		return fail("is empty", "it must be a program with its arguments")
	case has("error in credential_process"):
		why := "it did not end well"
		if m := ended.FindString(text); m != "" {
			why = m
		}
		if strings.HasSuffix(why, " 127") || strings.HasSuffix(why, " 126") {
			why += ": the program does not exist, or may not be run"
		}
		return fail("failed", why)
	}
	return nil
}

// bundle is about the certificates that servers are checked against.
func bundle(err error, text string, s Source) *problem.Error {
	name, where, next := "AWS_CA_BUNDLE", "AWS_CA_BUNDLE", "correct AWS_CA_BUNDLE or "+advice.Command("unset AWS_CA_BUNDLE")
	path := s.Getenv(name)
	if path == "" {
		profile, _ := s.chosen()
		path = s.value(profile, "ca_bundle")
		where, next = "ca_bundle in "+s.in(profile, "ca_bundle"), "correct ca_bundle there"
	}
	switch {
	case path == "":
		return nil
	case strings.Contains(text, "custom ca bundle"):
		return problem.Input("no certificate in the CA bundle "+quoted(path), where+" names it, and it has no PEM block CERTIFICATE", next+", "+again)
	case strings.HasPrefix(err.Error(), "open "+path+":"), strings.HasPrefix(err.Error(), "read "+path+":"):
		return problem.Input("cannot read the CA bundle "+quoted(path), where+" names it: "+s.unreadable(path), next+", "+again)
	}
	return nil
}

// nothing is about a configuration that has no credentials, where the user chose a profile,
// or where a file cannot be read as it was meant. Else that there are none is no fault.
func nothing(_ error, text string, s Source) *problem.Error {
	if !strings.Contains(text, "no ec2 imds role found") && !strings.Contains(text, "access disabled to ec2 imds") {
		return nil
	}
	config, credentials := s.files()
	for _, f := range []file{config, credentials} {
		switch {
		case f.err != nil && !errors.Is(f.err, fs.ErrNotExist):
			return problem.Input("cannot read the AWS configuration file "+plain.InLine(f.path), reason(f.err), advice.Command("ls -l", f.path)+" shows it; correct it, "+again)
		case len(f.broken) > 0:
			return problem.Input("invalid AWS configuration file "+plain.InLine(f.path), strings.Join(f.broken, "\n"), "correct it, "+again)
		case f.err == nil && !f.empty && len(f.sections) == 0:
			return problem.Input("invalid AWS configuration file "+plain.InLine(f.path), "it has no section, such as [default]", "correct it, "+again)
		}
	}
	name, by := s.chosen()
	if by == "" {
		return nil
	}
	if len(s.find("profile", name)) == 0 {
		return noProfile(name, s)
	}
	return problem.Input("the AWS profile "+quoted(name)+" has no credentials ("+by+")", s.in(name)+" names neither an access key nor another source, and this machine has none of its own",
		advice.Command("aws configure", "--profile", name)+" adds an access key, or choose another with --profile; "+again)
}

// container is about the address that gives a container its credentials.
func container(err error, text string, s Source) *problem.Error {
	const uri, file = "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
	switch {
	case strings.Contains(text, "failed to read authorization token"):
		return wrongVariable(s, file, "the file cannot be read: "+s.unreadable(s.Getenv(file)))
	case s.Getenv(uri) == "":
		return nil
	case strings.Contains(text, "only loopback/ecs/eks hosts are allowed"):
		return wrongVariable(s, uri, "with http:// only this machine and the addresses of Amazon ECS and EKS are allowed")
	case strings.HasPrefix(text, "invalid url"), strings.Contains(text, "unable to parse host from local http"):
		return wrongVariable(s, uri, "it is not a URL with a host")
	case strings.HasPrefix(text, "failed to resolve host"):
		return wrongVariable(s, uri, "the name of its host is not known")
	}
	return nil
}
