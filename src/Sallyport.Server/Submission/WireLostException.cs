namespace Sallyport.Server.Submission;

/// <summary>The conversation is over without a QUIT; the message says why, for the log. It never leaves the driver.</summary>
internal sealed class WireLostException(string why) : Exception(why);
