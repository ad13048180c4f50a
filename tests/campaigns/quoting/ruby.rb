require "aws-sdk-core"
Aws.shared_config.fresh(config_enabled: true)
STDIN.each_line do |line|
  name = line.chomp
  begin
    text = Aws.shared_config.credential_process(profile: name)
    raise "no such profile" if text.nil?
    Aws::ProcessCredentials.new(text).credentials
  rescue StandardError => e
    warn "#{name} #{e}"
  end
end
