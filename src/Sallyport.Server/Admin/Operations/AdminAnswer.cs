namespace Sallyport.Server.Admin.Operations;

/// <summary>What became of a change.</summary>
public interface IAdminOutcome
{
    bool Done { get; }

    /// <summary>One of <see cref="AdminCodes"/>.</summary>
    string Code { get; }
}

/// <summary>A part of what takes its time.</summary>
public interface IAdminProgress
{
    /// <summary>Null until it has ended.</summary>
    IAdminOutcome? Outcome { get; }
}

/// <summary>What became of a change: done or not, the code for programs, and the same in words.</summary>
public sealed record AdminAnswer(bool Done, string Code, string Message) : IAdminOutcome;
