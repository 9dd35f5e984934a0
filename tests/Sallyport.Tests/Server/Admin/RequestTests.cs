using System.Text;
using Sallyport.Server.Admin.Dispatch;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Telemetry;
using Xunit;

namespace Sallyport.Tests.Server.Admin;

/// <summary>What comes in by the socket is whole before anybody works with it.</summary>
public sealed class RequestTests
{
    private const string Verifier = """{"iterations":4096,"salt":"AAAAAAAAAAA=","stored_key":"AA==","server_key":"AA=="}""";

    [Theory]
    [InlineData("", false)]
    [InlineData("null", false)]
    [InlineData("[]", false)]
    [InlineData("{}", false)]
    [InlineData("""{"login":"jane"}""", false)]
    [InlineData("""{"login":null,"verifier":VERIFIER,"addresses":[]}""", false)]
    [InlineData("""{"login":"jane","verifier":null,"addresses":[]}""", false)]
    [InlineData("""{"login":"jane","verifier":{"iterations":4096},"addresses":[]}""", false)]
    [InlineData("""{"login":"jane","verifier":VERIFIER}""", false)]
    [InlineData("""{"login":"jane","verifier":VERIFIER,"addresses":[null]}""", false)]
    [InlineData("""{"login":"jane","verifier":VERIFIER,"addresses":["jane@acme.test"]}""", true)]
    public async Task A_request_that_lacks_a_member_is_not_answered(string json, bool answered)
    {
        var handlers = new AdminDispatcher(new SilentLog());
        var asked = 0;
        handlers.On(UserOperations.Add, (_, _) =>
        {
            asked++;
            return ValueTask.FromResult(new AdminAnswer(true, AdminCodes.UserAdded, ""));
        });
        Assert.Equal(answered, await AskAsync(handlers, "users/add", json.Replace("VERIFIER", Verifier, StringComparison.Ordinal)));
        Assert.Equal(answered ? 1 : 0, asked);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"most":10}""")]
    [InlineData("""{"state":"held","most":10}""")]
    public async Task What_may_be_left_out_may_be_left_out(string json)
    {
        var handlers = new AdminDispatcher(new SilentLog());
        handlers.On(QueueOperations.List, (_, _) => ValueTask.FromResult(new AdminPage<QueuedView>([], null)));
        Assert.True(await AskAsync(handlers, "queue/list", json));
    }

    [Theory]
    [InlineData(4095, 16, 32, 32, false)]
    [InlineData(10_000_001, 16, 32, 32, false)]
    [InlineData(-1, 16, 32, 32, false)]
    [InlineData(4096, 7, 32, 32, false)]
    [InlineData(4096, 65, 32, 32, false)]
    [InlineData(4096, 16, 31, 32, false)]
    [InlineData(4096, 16, 32, 33, false)]
    [InlineData(4096, 8, 32, 32, true)]
    [InlineData(10_000_000, 64, 32, 32, true)]
    public void A_verifier_is_one_that_can_be_checked(int iterations, int salt, int stored, int server, bool right) =>
        Assert.Equal(right, new VerifierView(iterations, new byte[salt], new byte[stored], new byte[server]).FindMistake() is null);

    private static async Task<bool> AskAsync(AdminDispatcher handlers, string path, string json)
    {
        using var input = new MemoryStream(Encoding.UTF8.GetBytes(json));
        using var output = new MemoryStream();
        var call = new AdminCall(AdminCaller.Operator("root"), TestContext.Current.CancellationToken);
        try
        {
            var reply = await handlers.Endpoints[path].AnswerAsync(input, call);
            await reply.WriteAsync(output, call.Cancel);
            return true;
        }
        catch (AdminRefusedException refused)
        {
            Assert.Equal(AdminCodes.InvalidRequest, refused.Answer.Code);
            return false;
        }
    }
}
