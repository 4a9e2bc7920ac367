package render

import "strings"

// ARN is an Amazon Resource Name in its parts.
type ARN struct {
	Partition string // aws, aws-us-gov, ...
	Service   string // iam, s3, ...
	Region    string // empty for global services
	Account   string // twelve digits, "aws" for AWS's own policies, or empty
	Resource  string // all that follows, colons included
}

// String is the ARN as AWS writes it.
func (a ARN) String() string {
	return strings.Join([]string{"arn", a.Partition, a.Service, a.Region, a.Account, a.Resource}, ":")
}

// Name is the last part of the resource: NAME of role/PATH/NAME.
func (a ARN) Name() string { return a.Resource[strings.LastIndex(a.Resource, "/")+1:] }

// Path is what stands between the kind and the name: /PATH/ of role/PATH/NAME, / of
// role/NAME.
func (a ARN) Path() string {
	_, rest, _ := strings.Cut(a.Resource, "/")
	return "/" + rest[:strings.LastIndex(rest, "/")+1]
}

// ParseARN takes an ARN apart. It checks the form, not whether the thing
// exists; an *InputError says what is wrong.
func ParseARN(s string) (ARN, error) {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return ARN{}, arnError(s, "an ARN has six parts: arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE")
	}
	a := ARN{Partition: parts[1], Service: parts[2], Region: parts[3], Account: parts[4], Resource: parts[5]}
	switch {
	case a.Partition != "aws" && !strings.HasPrefix(a.Partition, "aws-"), !onlyLabel(a.Partition):
		return ARN{}, arnError(s, "its partition is not one of AWS's: "+strings.Join(Partitions(), ", "))
	case a.Service == "" || !onlyLabel(a.Service):
		return ARN{}, arnError(s, "it names no service")
	case !onlyLabel(a.Region):
		return ARN{}, arnError(s, "its region is malformed")
	case a.Account != "" && a.Account != "aws" && !isAccount(a.Account):
		return ARN{}, arnError(s, "its account is not twelve digits")
	case a.Resource == "" || !only(a.Resource, printable):
		return ARN{}, arnError(s, "it names no resource, or one with spaces")
	}
	return a, nil
}

// ParseARNOf is ParseARN for a flag that takes one kind of thing: service
// "iam" and kind "policy" accept arn:aws:iam::123456789012:policy/NAME.
func ParseARNOf(s, service, kind string) (ARN, error) {
	a, err := ParseARN(s)
	if err != nil {
		return ARN{}, err
	}
	if a.Service != service {
		return ARN{}, arnError(s, "it is of the service "+a.Service+", and one of "+service+" is needed")
	}
	if name, ok := strings.CutPrefix(a.Resource, kind+"/"); !ok || name == "" {
		return ARN{}, arnError(s, "it does not name a "+kind+" ("+kind+"/NAME)")
	}
	return a, nil
}

func arnError(s, why string) error {
	return &InputError{What: "ARN " + quote(s), Why: why, Next: "copy the whole ARN as AWS shows it"}
}
