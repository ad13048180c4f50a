# An identity pool whose guests may read one bucket, for Terraform or OpenTofu:
#
#     terraform init && terraform apply -var bucket=amzn-s3-demo-bucket

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "bucket" {
  type        = string
  default     = "amzn-s3-demo-bucket"
  description = "The bucket whose objects guests may read"
}

resource "aws_cognito_identity_pool" "pool" {
  identity_pool_name               = "first-pool"
  allow_unauthenticated_identities = true
  allow_classic_flow               = false
}

resource "aws_iam_role" "guest" {
  name = "first-pool-guest"

  # Who may take the role: guests (amr) of this pool (aud).
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = "cognito-identity.amazonaws.com" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "cognito-identity.amazonaws.com:aud" = aws_cognito_identity_pool.pool.id
        }
        "ForAnyValue:StringLike" = {
          "cognito-identity.amazonaws.com:amr" = "unauthenticated"
        }
      }
    }]
  })
}

# What the role may do: read the objects of one bucket, and nothing else.
resource "aws_iam_role_policy" "read_bucket" {
  name = "read-bucket"
  role = aws_iam_role.guest.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "s3:GetObject"
      Resource = "arn:aws:s3:::${var.bucket}/*"
    }]
  })
}

resource "aws_cognito_identity_pool_roles_attachment" "roles" {
  identity_pool_id = aws_cognito_identity_pool.pool.id
  roles = {
    unauthenticated = aws_iam_role.guest.arn
  }
}

output "pool_id" {
  value       = aws_cognito_identity_pool.pool.id
  description = "What identity_pool_id is in a program"
}
