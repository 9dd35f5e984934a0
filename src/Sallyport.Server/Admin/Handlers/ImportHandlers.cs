using System.Collections.Immutable;
using Sallyport.Mail.Text;
using Sallyport.Server.Admin.Dispatch;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Import;
using Done = Sallyport.Server.Identity.Import.ImportReport;
using ImportReport = Sallyport.Server.Admin.Operations.ImportReport;

namespace Sallyport.Server.Admin.Handlers;

/// <summary>Takes logins with their password hashes into the file of a directory with type = "hashes".</summary>
internal sealed class ImportHandlers(AdminServices services)
{
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(1);

    public void Register(AdminDispatcher handlers) => handlers.On(ImportOperations.Run, RunAsync);

    private async IAsyncEnumerable<ImportPart> RunAsync(
        ImportRequest request, Stream content, AdminCall call)
    {
        var options = services.Site.Options;
        if (Mistake(request, options) is { } mistake)
        {
            yield return new(0, mistake);
            yield break;
        }

        await using var read = new CountingStream(content);
        var work = Task.Factory.StartNew(
            () => HashImport.Run(read, OptionsOf(request, Matching(request, options)[0].File, options.Data), services.Time),
            call.Cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        while (await Task.WhenAny(work, Task.Delay(Between, services.Time, call.Cancel)) != work)
        {
            call.Cancel.ThrowIfCancellationRequested();
            yield return new(read.BytesRead, null);
        }

        yield return new(read.BytesRead, await ReportAsync(work, request));
    }

    private static async Task<ImportReport> ReportAsync(Task<Done> work, ImportRequest request)
    {
        try
        {
            var done = await work;
            var changed = done.Added + done.Changed + done.Removed > 0;
            var code = !done.Done ? AdminCodes.ImportFailed : !changed ? AdminCodes.ImportUpToDate
                : done.DryRun ? AdminCodes.ImportDryRun : AdminCodes.Imported;
            return View(done, code);
        }
        catch (Exception exception) when (FileTrouble.IsOf(exception))
        {
            return Refused(request, AdminCodes.ImportFailed, FileTrouble.Say(exception, ""));
        }
    }

    private static ImportReport? Mistake(ImportRequest request, ServerOptions options)
    {
        var all = options.Directories.OfType<HashesDirectoryOptions>().Select(one => one.Name).ToList();
        return request.Format is not ("ldif" or "csv") ? Refused(request, AdminCodes.InvalidRequest, "format must be ldif or csv")
            : !ImportMapping.PresetNames.Contains(request.Preset) ? Refused(request, AdminCodes.InvalidRequest,
                $"\"{DisplayText.Sanitize(request.Preset)}\" is not a preset; {string.Join(", ", ImportMapping.PresetNames)} are")
            : request.Delimiter is not [var one] || !char.IsAscii(one) || one is '"' or '\r' or '\n' or '\0'
                ? Refused(request, AdminCodes.InvalidRequest, "delimiter must be one ASCII character, not a quote or the end of a line")
            : Matching(request, options).Count == 1 ? null
            : all.Count == 0 ? Refused(request, AdminCodes.ImportNoDirectory,
                "the configuration has no [[directory]] with type = \"hashes\": add one, with the file to write")
            : request.Directory is { } name ? Refused(request, AdminCodes.ImportUnknownDirectory,
                $"no directory with type = \"hashes\" is called {DisplayText.Sanitize(name)}; {string.Join(", ", all)} are")
            : Refused(request, AdminCodes.ImportWhichDirectory, $"several directories have type = \"hashes\": {string.Join(", ", all)}");
    }

    private static List<HashesDirectoryOptions> Matching(ImportRequest request, ServerOptions options) =>
        [.. options.Directories.OfType<HashesDirectoryOptions>().Where(one => request.Directory is null || one.Name == request.Directory)];

    private static ImportOptions OptionsOf(ImportRequest request, string file, string data)
    {
        var format = request.Format == "csv" ? ImportFormat.Csv : ImportFormat.Ldif;
        var preset = ImportMapping.Of(request.Preset, format);
        var (logins, passwords) = (Lower(request.Logins), Lower(request.Passwords));
        var (addresses, groups) = (Lower(request.Addresses), Lower(request.Groups));
        var mapping = preset with
        {
            Logins = logins.IsEmpty ? preset.Logins : logins,
            Passwords = passwords.IsEmpty ? preset.Passwords : passwords,
            Addresses = addresses.IsEmpty ? preset.Addresses : addresses,
            Groups = groups.IsEmpty ? preset.Groups : groups,
        };
        return new ImportOptions(file, data, format, mapping)
        {
            Delimiter = request.Delimiter[0],
            Needed = [.. mapping.Logins, .. mapping.Passwords, .. addresses, .. groups],
            Replace = request.Replace,
            HashPlain = request.HashPlain,
            DryRun = request.DryRun,
        };
    }

    private static ImmutableArray<string> Lower(string[] names) => [.. names.Select(name => name.ToLowerInvariant())];

    private static ImportReport Refused(ImportRequest request, string code, string why) => new(false, code, request.DryRun, why, "", 0);

    private static ImportReport View(Done done, string code) => new(done.Done, code, done.DryRun, done.Message, done.File, done.Accounts)
    {
        Read = done.Read,
        Added = done.Added,
        Changed = done.Changed,
        Unchanged = done.Unchanged,
        Kept = done.Kept,
        Removed = done.Removed,
        Disabled = done.Disabled,
        Skipped = done.Skipped,
        PassedOver = done.PassedOver,
        Forms = [.. done.Forms.Select(form => new Operations.ImportedForm(form.Form, form.Count, form.Imported, form.Weak))],
        Warnings = [.. done.Warnings.Select(warning => new Operations.ImportWarning(warning.Line, warning.What, warning.Text))],
        WarningsInAll = done.WarningsInAll,
    };
}
