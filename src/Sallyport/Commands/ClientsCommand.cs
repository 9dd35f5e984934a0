using System.CommandLine;
using System.Globalization;
using Sallyport.Interaction;
using Sallyport.Server.Admin.Operations;

namespace Sallyport.Commands;

/// <summary>clients: devices that need somebody's attention.</summary>
internal static class ClientsCommand
{
    public static Command Create()
    {
        var config = CommandContext.ConfigOption();
        var json = CommandContext.JsonOption();
        const string description = "Devices that keep offering an old password; they are no attack and are never banned for it.";
        var command = new Command("clients", description) { config, json };
        command.SetAction((parsed, cancel) => CommandContext.AtDoorAsync(parsed.GetValue(config)!, async admin =>
        {
            var stale = await admin.ListAsync(GuardOperations.Stale, ListRequest.All, cancel);
            if (parsed.GetValue(json))
            {
                return Terminal.Json(stale, AdminJson.Readable.StaleViewArray);
            }

            if (stale.Length == 0)
            {
                Terminal.Line("No device has offered an old password since the server started.");
                return Exit.Done;
            }

            var table = Terminal.NewTable("Login", "From", "Times", "Last", "What to do");
            foreach (var one in stale)
            {
                table.Row(Terminal.Cell(one.Login), Terminal.Cell(one.Client),
                    Terminal.Cell((one.Times + 1).ToString(CultureInfo.InvariantCulture)),
                    Terminal.Cell(one.Last.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + "Z"),
                    Terminal.Cell("set the new password on that device"));
            }

            Terminal.Write(table);
            return Exit.Done;
        }, cancel));
        return command;
    }
}
