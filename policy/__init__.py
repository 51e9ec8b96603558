"""The Pulumi policy pack, made of the rules in `delivery/policies/`."""
