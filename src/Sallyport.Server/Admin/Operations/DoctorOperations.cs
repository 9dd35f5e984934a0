namespace Sallyport.Server.Admin.Operations;

/// <summary>A look at everything mail depends on.</summary>
public static class DoctorOperations
{
    /// <summary>Each finding as it is made.</summary>
    public static AdminStream<DoctorRequest, Finding> Run { get; } =
        new("doctor", AdminJson.Default.DoctorRequest, AdminJson.Default.Finding) { Role = AdminRole.Reader };
}

/// <param name="Configuration">What is looked at in place of the configuration in force; for operators only.</param>
public sealed record DoctorRequest(ConfigurationText? Configuration);

/// <summary>What one check found.</summary>
/// <param name="Check">What was looked at, by name: "certificate", "route 1 (*) via smtp.example:587".</param>
/// <param name="Outcome">ok, warning or failed.</param>
/// <param name="Detail">For people.</param>
public sealed record Finding(string Check, string Outcome, string Detail)
{
    /// <summary>What was found, for programs: "certificate.expired". It keeps its meaning.</summary>
    public required string Code { get; init; }

    /// <summary>ok, warning or error.</summary>
    public string State => Outcome == "failed" ? "error" : Outcome;

    /// <summary>What the text is made of, by name: "until", "host".</summary>
    public SortedDictionary<string, string> Facts { get; init; } = [];

    public static Finding Ok(string code, string check, string detail) => new(check, "ok", detail) { Code = code };

    public static Finding Warning(string code, string check, string detail) => new(check, "warning", detail) { Code = code };

    public static Finding Error(string code, string check, string detail) => new(check, "failed", detail) { Code = code };

    public Finding With(string name, string? value) =>
        value is null ? this : this with { Facts = new(Facts) { [name] = value } };
}
