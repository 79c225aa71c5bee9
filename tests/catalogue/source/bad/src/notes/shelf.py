"""Keeps the notes."""

import boto3
import yaml

NOTES = yaml.safe_dump([str(boto3)])
