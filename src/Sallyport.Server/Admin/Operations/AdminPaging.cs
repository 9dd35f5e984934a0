using System.Text;

namespace Sallyport.Server.Admin.Operations;

/// <summary>A request for a page of a listing.</summary>
public interface IPagedRequest<TSelf>
{
    /// <summary>Most items in the answer; null for as many as one answer may have.</summary>
    int? Limit { get; }

    /// <summary>The "next" of the page before; null for the first.</summary>
    string? After { get; }

    TSelf Following(string next);
}

/// <summary>A listing without a filter.</summary>
public sealed record ListRequest(int? Limit = null, string? After = null) : IPagedRequest<ListRequest>
{
    public static ListRequest All { get; } = new();

    public ListRequest Following(string next) => this with { After = next };
}

/// <param name="Next">What continues the listing after these items; null at its end.</param>
public sealed record AdminPage<TItem>(TItem[] Items, string? Next);

/// <summary>How listings are cut into pages.</summary>
public static class AdminPaging
{
    /// <summary>Items of one answer.</summary>
    public const int LimitMax = 10_000;

    /// <summary>In the order of their keys, so that what is added or removed meanwhile neither repeats nor skips another item.</summary>
    /// <exception cref="AdminRefusedException">The cursor is none of ours.</exception>
    public static AdminPage<TItem> Cut<TItem>(IEnumerable<TItem> all, Func<TItem, string> key, int? limit, string? after)
    {
        var from = after is null ? null : Decode(after);
        var most = Math.Clamp(limit ?? LimitMax, 1, LimitMax);
        var items = all.Select(item => (Key: key(item), Item: item)).OrderBy(one => one.Key, StringComparer.Ordinal)
            .Where(one => from is null || string.CompareOrdinal(one.Key, from) > 0).Take(most + 1).ToList();
        var next = items.Count > most ? Encode(items[most - 1].Key) : null;
        return new([.. items.Take(most).Select(one => one.Item)], next);
    }

    /// <summary>All pages of a listing.</summary>
    public static async Task<TItem[]> ListAsync<TRequest, TItem>(
        this IAdmin admin, AdminListing<TRequest, TItem> listing, TRequest request, CancellationToken cancel)
        where TRequest : class, IPagedRequest<TRequest>
        where TItem : class
    {
        var items = new List<TItem>();
        while (true)
        {
            var page = await admin.PageAsync(listing, request, cancel);
            items.AddRange(page.Items);
            if (page.Next is not { } next)
            {
                return [.. items];
            }

            request = request.Following(next);
        }
    }

    /// <summary>Opaque to callers, and safe in a header.</summary>
    private static string Encode(string key) => Convert.ToHexStringLower(Encoding.UTF8.GetBytes(key));

    private static string Decode(string after)
    {
        try
        {
            return Encoding.UTF8.GetString(Convert.FromHexString(after));
        }
        catch (FormatException)
        {
            throw new AdminRefusedException(new(false, AdminCodes.InvalidCursor, "\"after\" must be the \"next\" of the page before"));
        }
    }
}
