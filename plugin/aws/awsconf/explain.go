package awsconf

import (
	"errors"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// Explain says what is wrong with the configuration that an error is about: one of loading
// it, or of the credentials that it leads to. It is nil if the error is about something
// else, such as a server that does not answer.
//
// Most errors of the SDK have no type, so their words are read: those of its modules config
// and credentials. A test has each of them.
func Explain(err error, s Source) *problem.Error {
	if err == nil {
		return nil
	}
	rules := []func(error, string, Source) *problem.Error{nothing}
	if !awserr.Asked(err) { // a server that does not answer, or refuses, is not the configuration
		rules = []func(error, string, Source) *problem.Error{files, variable, setting, profile, role, session, token, process, bundle, container, nothing}
	}
	for _, explain := range rules {
		if told := explain(err, strings.ToLower(err.Error()), s); told != nil {
			return told.Because(awserr.Cause(err))
		}
	}
	return nil
}

// Loading is Explain for an error of loading the configuration, for which nobody is asked.
func Loading(err error, s Source) *problem.Error {
	if told := Explain(err, s); told != nil {
		return told
	}
	return problem.Input("cannot use the AWS configuration", awserr.Redact(err.Error()),
		"correct it; "+advice.Command("aws configure list")+" shows where its values are from").Because(awserr.Cause(err))
}

const again = "then run the same command again"

// files is about a file that cannot be read.
func files(err error, _ string, s Source) *problem.Error {
	load, ok := errors.AsType[awsconfig.SharedConfigLoadError](err)
	if !ok {
		return nil
	}
	config, credentials := s.files()
	for _, f := range []file{config, credentials} {
		if f.path == load.Filename && f.variable != "" {
			return problem.Input("cannot read the AWS configuration file "+plain.InLine(load.Filename), reason(load.Err),
				"correct "+f.variable+" or "+advice.Command("unset", f.variable)+", "+again)
		}
	}
	return problem.Input("cannot read the AWS configuration file "+plain.InLine(load.Filename), reason(load.Err),
		advice.Command("ls -ld", load.Filename)+" shows it; correct it, "+again)
}

// reason is why a file cannot be read.
func reason(err error) string {
	if broken, ok := errors.AsType[*fs.PathError](err); ok {
		return broken.Err.Error()
	}
	return awserr.Redact(err.Error())
}

var (
	someVariable = regexp.MustCompile(`\b(AWS_[A-Z0-9_]+)\b`)
	wanted       = regexp.MustCompile(`,? (?:need|must be)(?: either)? ([A-Za-z0-9_/, ]+)$`)
	setKey       = regexp.MustCompile(`failed to load ([a-z0-9_]+) from shared config`)
	// word is what may be repeated of a value that is wrong: too short for a secret key, and
	// without what user names and passwords in URLs are joined by.
	word      = regexp.MustCompile(`^[A-Za-z0-9._ ~-]{1,32}$`)
	ofProfile = regexp.MustCompile(`(?:config from profile, |partial credentials found for profile |profile ")([^,"\n]+)`)
)

// values are those of variables and keys of which the SDK does not say them.
func values(name string) string {
	switch strings.TrimPrefix(strings.ToLower(name), "aws_") {
	case "retry_mode":
		return "standard or adaptive"
	case "max_attempts":
		return "a whole number, for example 5"
	case "defaults_mode":
		return "legacy, standard, in-region, cross-region, mobile or auto"
	case "request_min_compression_size_bytes":
		return "a whole number from 0 to 10485760"
	case "ec2_metadata_service_endpoint_mode":
		return "IPv4 or IPv6"
	}
	return ""
}

// must is what a variable or a key must be.
func must(name, text string) string {
	if known := values(name); known != "" {
		return "it must be " + known
	}
	if m := wanted.FindStringSubmatch(strings.TrimSpace(text)); m != nil {
		return "it must be " + strings.NewReplacer("/", " or ", "true, false or auto", "true, false or auto", "true, false", "true or false").Replace(m[1])
	}
	return "it is not a value that it can have"
}

// variable is about one of the environment.
func variable(err error, text string, s Source) *problem.Error {
	if strings.Contains(text, "from shared config") || !strings.HasPrefix(text, "invalid ") {
		return nil
	}
	name := ""
	if m := someVariable.FindStringSubmatch(err.Error()); m != nil {
		name = m[1]
	} else if strings.Contains(text, "min request compression size") {
		name = "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES"
	}
	if name == "" || s.Getenv(name) == "" {
		return nil
	}
	return wrongVariable(s, name, must(name, err.Error()))
}

func wrongVariable(s Source, name, why string) *problem.Error {
	return problem.Input("invalid "+name+repeated(s.Getenv(name)), why, "correct "+name+" or "+advice.Command("unset", name)+", "+again)
}

// repeated is a value that is wrong, if it is a word: anything else may be a secret that was
// put in the wrong place.
func repeated(value string) string {
	if !word.MatchString(value) {
		return ""
	}
	return " " + quoted(value)
}

func quoted(value string) string { return `"` + awserr.Redact(plain.InLine(value)) + `"` }

// setting is about a key of a profile.
func setting(err error, text string, s Source) *problem.Error {
	name := profileIn(err, s)
	if m := setKey.FindStringSubmatch(err.Error()); m != nil {
		return wrongKey(s, name, m[1], must(m[1], err.Error()))
	}
	if !strings.Contains(text, "partial credentials found") {
		return nil
	}
	for _, p := range s.find("profile", name) {
		_, id := p.keys["aws_access_key_id"]
		_, secret := p.keys["aws_secret_access_key"]
		if id != secret {
			there, missing := "aws_access_key_id", "aws_secret_access_key"
			if secret {
				there, missing = missing, there
			}
			return problem.Input("incomplete access key in "+p.in, there+" is set, and "+missing+" is not",
				"add "+missing+" to the section, or remove "+there+", "+again)
		}
	}
	return nil
}

// wrongKey is the error for a key of a profile.
func wrongKey(s Source, profile, key, why string) *problem.Error {
	return problem.Input("invalid "+key+repeated(s.value(profile, key))+" in "+s.in(profile, key), why, "correct "+key+" there, "+again)
}

// profileIn is the profile that an error names, or the one in use.
func profileIn(err error, s Source) string {
	if m := ofProfile.FindStringSubmatch(err.Error()); m != nil {
		return m[1]
	}
	name, _ := s.chosen()
	return name
}

// profile is about one that does not exist, or that is not whole.
func profile(err error, text string, s Source) *problem.Error {
	if assumed, ok := errors.AsType[awsconfig.SharedConfigAssumeRoleError](err); ok {
		return sourceProfile(assumed, s)
	}
	if arn, ok := errors.AsType[awsconfig.CredentialRequiresARNError](err); ok {
		return problem.Input("missing role_arn in "+s.in(arn.Profile, arn.Type), arn.Type+" gives the credentials for a role, and no role is named",
			"add role_arn to the section, or remove "+arn.Type+", "+again)
	}
	if absent, ok := errors.AsType[awsconfig.SharedConfigProfileNotExistError](err); ok {
		return noProfile(absent.Profile, s)
	}
	if !strings.Contains(text, "only one credential type") {
		return nil
	}
	kinds := []string{"source_profile", "credential_source", "credential_process", "web_identity_token_file"}
	name, _ := s.chosen()
	profiles, _ := s.chain(name)
	for _, one := range profiles {
		set := slices.DeleteFunc(slices.Clone(kinds), func(key string) bool { return s.value(one, key) == "" })
		if len(set) > 1 {
			return problem.Input("contradictory "+strings.Join(set, " and ")+" in "+s.in(one), "a profile has one source of credentials",
				"keep one of them, "+again)
		}
	}
	return nil
}

// sourceProfile is about the profile that a role is assumed by.
func sourceProfile(err awsconfig.SharedConfigAssumeRoleError, s Source) *problem.Error {
	name, _ := s.chosen()
	profiles, loop := s.chain(name)
	if loop {
		last := profiles[len(profiles)-1]
		return problem.Input("source_profile leads in a circle in "+s.in(last, "source_profile"),
			plain.InLine(strings.Join(append(profiles, s.value(last, "source_profile")), " → ")),
			"name a profile there that has credentials of its own, "+again)
	}
	from := name
	for _, one := range profiles {
		if s.value(one, "source_profile") == err.Profile {
			from = one
		}
	}
	what := "invalid source_profile " + quoted(err.Profile) + " in " + s.in(from, "source_profile")
	next := "name a profile there that has credentials, " + again + "\n" + advice.Command("aws configure list-profiles") + " lists the profiles"
	if err.Err != nil {
		return problem.Input(what, "the profile does not exist"+s.misread(err.Profile), next)
	}
	return problem.Input(what, s.in(err.Profile)+" has no credentials: neither an access key nor another source",
		"add them: "+advice.Command("aws configure", "--profile", err.Profile)+"; or "+next)
}

// noProfile is about a profile that was chosen and is not there.
func noProfile(name string, s Source) *problem.Error {
	_, by := s.chosen()
	config, credentials := s.files()
	var where []string
	for _, f := range []file{config, credentials} {
		if f.err != nil {
			where = append(where, f.called()+" cannot be read: "+reason(f.err))
			continue
		}
		where = append(where, f.called()+" does not have it")
	}
	next := "choose another with --profile, or correct " + by + ", " + again
	if by == "--profile" || by == "" {
		next = "choose another with --profile, " + again
	}
	if names := s.names(); len(names) > 0 {
		next += "\nthe profiles are: " + strings.Join(names, ", ")
	} else {
		next += "\n" + advice.Command("aws configure", "--profile", name) + " creates it"
	}
	what := "the AWS profile " + quoted(name) + " does not exist"
	if by != "" {
		what += " (" + by + ")"
	}
	return problem.Input(what, strings.Join(where, "; ")+s.misread(name), next)
}

// misread names what looks like the profile and is not read as one.
func (s Source) misread(name string) string {
	config, credentials := s.files()
	text := ""
	for _, line := range slices.Concat(config.broken, credentials.broken) {
		text += "\n" + line
	}
	for _, one := range config.sections {
		if one.kind == "" && (one.name == name || strings.EqualFold(one.name, "profile "+name)) {
			text += "\n" + one.head(true) + " of " + plain.InLine(config.path) + " must be [profile " + plain.InLine(name) + "]"
		}
	}
	for _, one := range credentials.sections {
		if one.name == "profile "+name {
			text += "\n" + one.head(false) + " of " + plain.InLine(credentials.path) + " must be [" + plain.InLine(name) + "]"
		}
	}
	return text
}
