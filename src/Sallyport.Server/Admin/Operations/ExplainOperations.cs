namespace Sallyport.Server.Admin.Operations;

/// <summary>What the server would do.</summary>
public static class ExplainOperations
{
    public static AdminOperation<ExplainQuery, Explanation> Explain { get; } =
        new("explain", AdminJson.Default.ExplainQuery, AdminJson.Default.Explanation) { Role = AdminRole.Reader };
}

public sealed record ExplainQuery(string Login, string From, string To);

/// <param name="Steps">Every rule asked, in the order the server asks them.</param>
public sealed record Explanation(bool Accepted, ExplainedStep[] Steps);

/// <param name="Rule">The rule, or what was tried.</param>
/// <param name="Outcome">ok, held or refused; next where another directory is asked; unavailable, failed, or - for a remark.</param>
public sealed record ExplainedStep(string Rule, string Outcome, string Because);
