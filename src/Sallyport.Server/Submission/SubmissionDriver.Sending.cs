using System.Collections.Immutable;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Sending;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Submission;

/// <content>What the login sends: reserved against its limits step by step, given back where nothing came of it.</content>
public sealed partial class SubmissionDriver
{
    private SendingConnection? _connection;
    private SendingTransaction? _sending;
    private SendingLogin? _sender;
    private (Grant? Grant, ImmutableArray<Quota> Quotas) _senderOf;

    /// <summary>A login that is right counts against its connections before the client hears of it.</summary>
    private async ValueTask<LoginAnswer> AdmitAsync(LoginAnswer answer)
    {
        if (answer is not LoginAnswer.Granted { Grant: var grant })
        {
            return answer;
        }

        _connection?.End(); // of an exchange that was broken off
        await _services.Sending.LoadContactsAsync(grant.Login);
        if (_services.Sending.TryConnect(SenderOf(grant), _wire.Client, out _connection) is not { } reached)
        {
            return answer;
        }

        var refusal = LimitReplies.ForLogin(reached, _services.Time.GetUtcNow());
        LogLimit(grant.Login, reached, refusal, "(login)");
        return new LoginAnswer.OverLimit(refusal);
    }

    private async ValueTask<Reply?> BeginSendingAsync(SessionAction.AskSender ask)
    {
        var sender = SenderOf(_session.Grant!);
        await _services.Sending.LoadContactsAsync(sender.Login);
        if (_services.Sending.TryBegin(sender, ask.DeclaredBytes, out _sending) is not { } reached)
        {
            return null;
        }

        var refusal = LimitReplies.ForMessage(reached, _services.Time.GetUtcNow());
        LogLimit(sender.Login, reached, refusal, ask.ReversePath.ToString());
        return refusal;
    }

    private SessionAction AnswerRecipient(SessionAction.AskRecipient ask)
    {
        if (Judge(ask) is { } refused)
        {
            return _session.AnswerRecipient(refused);
        }

        if (_sending?.AddRecipient(ask.Recipient.Path.Mailbox) is not { } reached)
        {
            return _session.AnswerRecipient(null);
        }

        var refusal = LimitReplies.ForRecipient(reached, _services.Time.GetUtcNow());
        LogLimit(_session.Grant!.Login, reached, refusal, ask.Recipient.Path.ToString());
        return _session.AnswerRecipient(refusal, byLimit: true);
    }

    /// <summary>The content's real length: MAIL need not have said it, or not the truth.</summary>
    private Reply? WeighContent(long bytes, QueueId id)
    {
        if (_sending?.SetBytes(bytes) is not { } reached)
        {
            return null;
        }

        var refusal = LimitReplies.ForMessage(reached, _services.Time.GetUtcNow());
        LogLimit(_session.Grant!.Login, reached, refusal, $"{id} (content)");
        return refusal;
    }

    /// <summary>Why the message about to be committed is held; null when it is not.</summary>
    private string? ShouldHold(Envelope envelope) => _sending?.ShouldHold(_services.Watch, _wire.Client,
        [.. envelope.Recipients.Take(SendingFacts.SampleMax).Select(recipient => recipient.Path.Mailbox.ToString())]);

    private void EndSending()
    {
        _sending?.Release();
        _connection?.End();
    }

    /// <summary>By the configuration of now: a limit changed by a reload counts from the next message.</summary>
    private SendingLogin SenderOf(Grant grant)
    {
        var quotas = _services.Site.Options.Quotas;
        if (_sender is null || !ReferenceEquals(_senderOf.Grant, grant) || _senderOf.Quotas != quotas)
        {
            _senderOf = (grant, quotas);
            _sender = SendingLogin.Of(grant, quotas);
        }

        return _sender;
    }

    private void LogLimit(string login, LimitReached reached, Reply refusal, string subject)
    {
        if (++_policyRefusals <= RefusalLinesMax)
        {
            _services.Log.Write(new MailEvent.LimitReached(SessionId, _client, login, subject, reached.Subject, reached.Limit.Measure,
                reached.Limit.Window, reached.Used, reached.Limit.Allowed, reached.FreeAt, refusal));
        }
    }
}
