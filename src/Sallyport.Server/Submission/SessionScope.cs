using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Server.Sites;

namespace Sallyport.Server.Submission;

/// <summary>What every part of one session works with, as it was when the session began.</summary>
internal sealed class SessionScope(ISubmissionWire wire, SubmissionServices services, string id)
{
    public string Id => id;

    public ISubmissionWire Wire => wire;

    public SubmissionServices Services => services;

    public SiteSnapshot Site { get; } = services.Site.Current;

    /// <summary>The client's address as text.</summary>
    public string Client { get; } = wire.Client.ToString();

    public TimeProvider Time => services.Time;

    public TimeoutOptions Timeouts => Site.Options.Timeouts;

    public SmtpLimits Limits => Site.Options.Limits.Smtp;
}
