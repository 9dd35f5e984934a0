namespace Sallyport.Server.Identity.Import;

/// <summary>Counts and warnings of an import while it goes on. Of warnings a bounded number is kept, and all are counted.</summary>
internal sealed class ImportNotes
{
    public const int WarningsMax = 1000;

    private readonly Dictionary<(string Form, bool Imported, bool Weak), int> _forms = [];
    private readonly List<ImportWarning> _warnings = [];

    public int Read { get; set; }

    public int Skipped { get; private set; }

    public int PassedOver { get; set; }

    public int WarningsInAll { get; private set; }

    public IReadOnlyList<ImportWarning> Warnings => _warnings;

    public IReadOnlyList<ImportedForm> Forms =>
    [
        .. _forms.Select(form => new ImportedForm(form.Key.Form, form.Value, form.Key.Imported, form.Key.Weak))
            .OrderByDescending(form => form.Imported).ThenByDescending(form => form.Count).ThenBy(form => form.Form, StringComparer.Ordinal),
    ];

    public void CountForm(string form, bool imported, bool weak) =>
        _forms[(form, imported, weak)] = _forms.GetValueOrDefault((form, imported, weak)) + 1;

    public void Skip(int line, string why)
    {
        Skipped++;
        Warn(line, "skipped", why);
    }

    public void Warn(int line, string what, string text)
    {
        WarningsInAll++;
        if (_warnings.Count < WarningsMax)
        {
            _warnings.Add(new ImportWarning(line, what, text));
        }
    }
}
